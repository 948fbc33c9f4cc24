"""Says how conversations with customers went: answered, resolved, at what cost, and what customers said later."""
