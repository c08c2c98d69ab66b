"""Timed comparisons, each printing what it measured in one run."""
