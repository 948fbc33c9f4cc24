"""Finds past cases like a new message, with what was answered and which remedy worked."""
