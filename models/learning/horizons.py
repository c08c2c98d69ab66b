"""Probabilities within shorter horizons, from the model of the longest one.

With horizons h_1 < … < h_n, P(within h_k) = P(within h_k+1) × q_k: the chance of the longest, which the model gives,
times the chances that a conversion within a horizon comes within the next shorter one already. As 0 < q < 1, no
probability ever falls with the horizon, and the longest stays what it is. Each q is learned from converting examples
alone: nothing else says when conversions come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from features.arrays import Floats, Ints
from features.kernel import Matrix
from models import newton
from models.judging.metrics import logit
from models.judging.rates import smoothed
from models.learning import calibration, training
from models.learning.calibration import Calibration
from models.learning.encoding import Encoding, encode
from models.learning.training import Masking, Rows
from models.trees.booster import Settings
from models.trees.model import Trees

LEAST_TO_DIFFER = 200
"""With fewer converting leads the share is one number for all."""
ROUNDS = 200


@dataclass(frozen=True)
class Link:
    """q of one horizon: the chance that a conversion within `longer` days, the next horizon, comes within `days`."""

    days: float
    longer: float
    share: float
    """The same over all converting examples that were learned from."""
    calibration: Calibration
    encoding: Encoding | None = None
    text: str | None = None
    """LightGBM's own format; None where the share is the same for all."""

    @cached_property
    def trees(self) -> Trees | None:
        """None where the share is the same for all."""
        return None if self.text is None else Trees(self.text)

    def to_json(self) -> dict[str, Any]:
        """Plain types, without the text."""
        return {
            "days": self.days,
            "longer": self.longer,
            "share": self.share,
            "calibration": self.calibration.to_json(),
            "encoding": None if self.encoding is None else self.encoding.to_json(),
        }

    @staticmethod
    def of_json(stored: Mapping[str, Any], text: str | None) -> "Link":
        """The inverse of `to_json`. Raises ValueError where only one of encoding and text is there."""
        encoding = None if stored["encoding"] is None else Encoding.of_json(stored["encoding"])
        if (encoding is None) != (text is None):
            raise ValueError(f"horizon of {stored['days']} days: expected both an encoding and a model, or neither")
        chosen = Calibration.of_json(stored["calibration"])
        days, longer, share = (float(stored[name]) for name in ("days", "longer", "share"))
        return Link(days, longer, share, chosen, encoding, text)


def column(days: float) -> str:
    """What the probability within a shorter horizon is called in files: probability_30d."""
    return f"probability_{label(days)}d"


def label(days: float) -> str:
    """30 or 2.5, and different for different days."""
    return str(int(days)) if days == int(days) else repr(days)


def shares(link: Link, matrix: Matrix) -> Floats:
    """q of each row, shape (k,), in (0, 1)."""
    raw = np.zeros(len(matrix.values))
    if link.trees is not None and link.encoding is not None:
        raw = link.trees.scores(encode(link.encoding, matrix))
    return calibration.apply(link.calibration, raw)


def shorter(links: Sequence[Link], longest: Floats, matrix: Matrix) -> dict[float, Floats]:
    """Probability within each horizon but the longest, by its days, rising; `longest` (k,) is the model's own."""
    found, p = {}, longest
    for link in reversed(links):
        p = p * shares(link, matrix)
        found[link.days] = p
    return dict(reversed(found.items()))


@dataclass(frozen=True)
class Held:
    """Converting examples that nothing was learned from, to calibrate on."""

    matrix: Matrix
    y: Floats
    group: Ints


def fit_link(days: float, longer: float, rows: Rows, held: Held, settings: Settings, masking: Masking) -> Link:
    """Learn q from examples that convert within `longer` days; y is 1 where within `days`.

    One share for all, unless a small booster does better on accounts left out, by more than a standard error.
    Without rows that convert in time, or with no others, the share is kept from 0 and 1 by half an example.
    """
    y = np.concatenate([rows.y, held.y])
    share = smoothed(float(y.sum()), len(y))
    constant = Link(days, longer, share, Calibration("intercept", (float(logit(np.array(share))),)))
    if not _enough(rows):
        return constant
    model = training.fit(rows, strict(settings), masking=masking)
    if not _better(rows.y, model.bag.left_out, rows.group):
        return constant
    if _both(held.y):
        raw = Trees(model.bag.text).scores(encode(model.encoding, held.matrix))
        chosen, _ = calibration.choose(held.y, raw, held.group, settings.seed)
    else:
        chosen, _ = calibration.choose(rows.y, model.bag.left_out, rows.group, settings.seed)
    return Link(days, longer, share, chosen, model.encoding, model.bag.text)


def strict(settings: Settings) -> Settings:
    """Small trees and few: converting examples are a few per cent of all."""
    return replace(
        settings,
        num_leaves=min(settings.num_leaves, 8),
        max_depth=min(settings.max_depth, 3),
        max_rounds=min(settings.max_rounds, ROUNDS),
        early_stopping_rounds=min(settings.early_stopping_rounds, 30),
        lambda_l2=settings.lambda_l2 + 10,
    )


def _enough(rows: Rows) -> bool:
    """Whether there are leads enough, and in every part of the bag some that convert in time and some that do not."""
    parts = [rows.y[rows.fold != k] for k in np.unique(rows.fold)]
    return len(np.unique(rows.lead)) >= LEAST_TO_DIFFER and len(parts) > 1 and all(_both(y) for y in parts)


def _both(y: Floats) -> bool:
    return len(y) > 0 and bool(y.min() < y.max())


def _better(y: Floats, left_out: Floats, group: Ints) -> bool:
    """Whether scores of left-out rows beat one share for all by more than a standard error over groups."""
    alike = logit(np.full(len(y), y.mean()))
    gain = newton.losses(y, alike) - newton.losses(y, left_out)
    return bool(gain.mean() > calibration.standard_error(gain, group))
