"""Labels that are more than one of a flat list: several a text, or one below another."""
