"""Gradient-boosted trees: growing them, scoring rows by them, and exact reasons."""
