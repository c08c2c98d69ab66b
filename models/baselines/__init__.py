"""What the model is held against, on the same folds."""
