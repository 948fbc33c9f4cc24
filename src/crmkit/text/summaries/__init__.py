"""Summaries by choosing sentences: of a message, of a conversation, of many messages."""
