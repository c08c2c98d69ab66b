"""The one way in which a run says no."""


class Stop(Exception):
    """A message for a person: which file, column and row, what was expected, what came, what to do."""
