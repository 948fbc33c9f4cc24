"""Names in texts: learned, looked up in lists, in tags and out."""
