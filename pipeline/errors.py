"""The one error by which a run refuses."""


class Stop(Exception):
    """A message for a person: which file, column and row, what was expected, what came, what to do."""
