"""Joint weights of the hidden parts of leads, carried from midnight to midnight."""

import numpy as np

from pipeline.simulator.accounts import NO_PROJECT
from pipeline.simulator.arrays import DAY_US, Bools, Floats, Ints
from pipeline.simulator.law import READER, Law
from pipeline.simulator.observed import Observed
from pipeline.simulator.world import World


class Beliefs:
    """Weights of n leads, ordered by how long they are followed, longest first.

    `buyer` is (K, P, Z, n) for K states times bursts, P paces and Z hypotheses on the project, the last
    that there is none; `reader` is (B, P, n), since a reader's days do not depend on projects. The weights
    include the priors of pace and buyer, not that of the project.
    """

    def __init__(self, numbers: Law, world: World, seen: Observed, lead: Ints) -> None:
        self.numbers, self.world = numbers, world
        self.born = seen.created[lead] // DAY_US
        self.project_day = project_days(seen, world, lead)
        self.moves = np.stack([np.kron(move, numbers.switch) for move in numbers.move])
        self.firsts = np.stack([np.kron(first, numbers.calm) for first in numbers.first])
        pace = seen.pace[lead].T
        self.reader: Floats = numbers.calm[:, None, None] * (pace * (1 - seen.buyer[lead]))
        weight = (pace * seen.buyer[lead])[:, None, :]
        self.buyer: Floats = self._first(self.born, np.arange(len(lead)))[:, None] * weight

    def __len__(self) -> int:
        """Leads still followed."""
        return int(self.buyer.shape[-1])

    def running(self, day: Ints, which: Ints) -> Bools:
        """(Z, n) whether the project runs on the day."""
        age = day - self.project_day[:, which]
        return np.asarray((age >= 0) & (age < self.world.project_days))

    def _first(self, day: Ints, which: Ints) -> Floats:
        """(K, Z, n) law of the first day's state."""
        running = self.running(day, which)
        return np.asarray(np.where(running, self.firsts[1][:, None, None], self.firsts[0][:, None, None]))

    def restart(self, which: Ints, day: Ints) -> None:
        """Forget the state of leads that are taken up again, not who they are."""
        mass = self.buyer[..., which].sum(axis=0)
        self.buyer[..., which] = self._first(day, which)[:, None] * mass
        self.reader[..., which] = self.numbers.calm[:, None, None] * self.reader[..., which].sum(axis=0)

    def shorten(self, count: int) -> None:
        """Follow only the first `count` leads from here on."""
        if count < len(self):
            self.buyer = np.ascontiguousarray(self.buyer[..., :count])
            self.reader = np.ascontiguousarray(self.reader[..., :count])

    def pass_day(self, age: int, chance: Floats) -> None:
        """Take in the chances (4, B, P, n) of what a whole day showed, then let the night pass."""
        size, paces, hypotheses, count = self.buyer.shape
        self.buyer *= chance[:READER].reshape(size, paces, 1, count)
        flat = self.buyer.reshape(size, paces * hypotheses * count)
        change = ((self.moves[1] - self.moves[0]).T @ flat).reshape(self.buyer.shape)
        change *= self.running(self.born[: len(self)] + age + 1, np.arange(len(self)))
        self.buyer = (self.moves[0].T @ flat).reshape(self.buyer.shape)
        self.buyer += change
        self.reader = np.tensordot(self.numbers.switch.T, self.reader * chance[READER], axes=1)
        if age % 4 == 3:
            self._scale()

    def _scale(self) -> None:
        """Keep weights away from 0; a factor of a lead's own changes no ratio."""
        total = self.buyer.sum(axis=(0, 1, 2)) + self.reader.sum(axis=(0, 1))
        self.buyer /= total
        self.reader /= total


def project_days(seen: Observed, world: World, lead: Ints) -> Ints:
    """(Z, n) day on which the project of each lead's account begins, by hypothesis; the last: never."""
    days = seen.first_day[seen.account[lead]] + np.array([*world.starts, 0])[:, None]
    days[-1] = NO_PROJECT
    return np.asarray(days)
