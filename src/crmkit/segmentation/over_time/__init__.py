"""The same segments next month: what changed, and what still holds."""
