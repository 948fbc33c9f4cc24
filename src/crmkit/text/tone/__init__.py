"""Sentiment and urgency by word lists for the day without labels, and the sentiment of each aspect of a text."""
