"""Says what customers need and what they might buy, by phrases of a changeable taxonomy or by a classifier."""
