"""How many segments there are, and how near is near."""
