"""Vectors of words: learned from the company's own texts, or read from a file."""
