"""Says how sure a classifier is, and leaves to a person what it is not sure of."""
