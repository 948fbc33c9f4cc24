"""The words that stand out: of a text, of a corpus, and of each class in it."""
