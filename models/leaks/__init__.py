"""What would tell the future, found in the numbers alone."""
