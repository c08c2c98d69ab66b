"""The feature kernel: pure NumPy, no IO, no clock, nothing fitted."""
