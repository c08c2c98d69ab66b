"""Reasons and changes, in plain words."""
