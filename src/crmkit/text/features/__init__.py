"""What text algorithms count: words, pairs of words and runs of characters."""
