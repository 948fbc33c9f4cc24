"""What many messages are about: topics, how many, over time, and what is new."""
