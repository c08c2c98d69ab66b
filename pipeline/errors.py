"""The one way in which a run says no."""


class Stop(Exception):  # noqa: N818 (what it does, not what it is)
    """A message for a person: which file, column and row, what was expected, what came, what to do."""
