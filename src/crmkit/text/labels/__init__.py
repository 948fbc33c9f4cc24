"""Looks at the labels before and after training: duplicates, leaks, wrong labels, and what to label next."""
