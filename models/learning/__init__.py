"""From examples to a calibrated model: labels, folds' labels softened, encodings, the bag, horizons."""
