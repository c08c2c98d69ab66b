"""The hand-tuned points that the probabilities replace."""
