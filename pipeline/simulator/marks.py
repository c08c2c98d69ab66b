"""Dated marks of leads in sorted arrays: how many, and how telling, between two instants of a lead."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.arrays import SPAN_US, Bools, Floats, Ints


@dataclass(frozen=True)
class Marks:
    """Sorted by lead and time. `logs` (n + 1, 4): log weights of the hidden columns, summed before each."""

    keys: Ints
    logs: Floats

    def between(self, lead: Ints, after: Ints, upto: Ints) -> tuple[Ints, Floats]:
        """Count, and sums (n, 4), of each lead's marks from `after` to `upto` (µs, both inclusive)."""
        lo = np.searchsorted(self.keys, lead * SPAN_US + after, "left")
        hi = np.maximum(np.searchsorted(self.keys, lead * SPAN_US + upto, "right"), lo)
        return hi - lo, self.logs[hi] - self.logs[lo]

    def latest(self, lead: Ints, before: Ints) -> Ints:
        """Time of the lead's latest mark strictly before an instant; -1 without."""
        place = np.searchsorted(self.keys, lead * SPAN_US + before, "left") - 1
        key = np.concatenate([self.keys, [-1]])[place]
        return np.where((place >= 0) & (key >= lead * SPAN_US), key - lead * SPAN_US, -1)


def marks(lead: Ints, at_us: Ints, weights: Floats | None = None, keep: Bools | None = None) -> Marks:
    """Marks of these leads (indices) at these instants (µs), with log weights (n, 4), 0 without."""
    logs = np.zeros((len(lead), 4)) if weights is None else weights
    if keep is not None:
        lead, at_us, logs = lead[keep], at_us[keep], logs[keep]
    keys = lead * SPAN_US + at_us
    order = np.argsort(keys, kind="stable")
    return Marks(keys[order], np.concatenate([np.zeros((1, 4)), logs[order].cumsum(axis=0)]))
