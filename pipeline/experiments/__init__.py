"""Runs in MLflow: filed once, told apart, registered."""
