"""Checks that no feature and no score knows the future."""
