"""How good probabilities and choices are, and how sure that is."""
