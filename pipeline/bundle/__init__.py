"""The bundle of a run, put together, and its card."""
