"""How a model says that it is not what it should be."""


class DamagedBundle(Exception):
    """A bundle that is not what its manifest says, or does not give the answers that it gave."""
