"""What every room stands on: errors, plugin registry, border checks, expressions; standard library only at import."""
