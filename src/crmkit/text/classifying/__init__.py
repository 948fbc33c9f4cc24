"""Classifiers of messages, the columns beside the text, and why they said so."""
