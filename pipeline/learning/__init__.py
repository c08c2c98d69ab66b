"""What a run learns, and the model as it left it: soft labels, shorter horizons, the intercept."""
