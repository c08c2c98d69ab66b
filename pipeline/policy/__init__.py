"""What is done with a probability: the threshold, and what it would have brought."""
