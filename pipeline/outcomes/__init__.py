"""What became of leads: whether and when they converted, and what that brought."""
