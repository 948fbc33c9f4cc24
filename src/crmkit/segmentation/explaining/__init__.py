"""What each segment is: figures, words, rules and pictures."""
