"""An imagined company whose every lead has a known probability.

A seller of software to businesses over two years. All that is hidden is discrete, so the probability of
winning a lead, given everything that can be seen of its account, is computed exactly (`true_probability`).
"""

from pipeline.simulator.simulation import simulate
from pipeline.simulator.truth import true_probability
from pipeline.simulator.world import WORLDS, World

__all__ = ["WORLDS", "World", "simulate", "true_probability"]
