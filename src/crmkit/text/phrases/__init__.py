"""Finds many phrases in many texts at once, in both languages, with their places in the original."""
