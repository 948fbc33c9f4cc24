"""The algorithms that put customers into segments, and how they place new ones."""
