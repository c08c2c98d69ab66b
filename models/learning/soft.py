"""Labels softened by what a first model says a little later.

Whether a lead converts within 90 days is mostly decided long after the example, and much of it is luck. The same lead
some days later shows part of what was decided, and none of the luck still to come. So a first model learns which leads
convert in the rest of the horizon, and the final model learns from what the first one, which has never seen the lead's
account, predicts for the lead on that later day: 1 if it has converted by then, 0 if it is closed. Where the outcome is
known, the label is the mean of prediction and outcome, since a first model that shrinks too much would hide the
outcome. Recent leads, whose horizon is not over but whose next days are, are learned from too.

The members of the first model have not seen the row's account, but have seen others. So a member of the final model,
which leaves an account out, learns from labels that know of that account at second hand; docs/modelling.md says what
that was found to do.
"""

from dataclasses import dataclass, replace

import numpy as np

from features.arrays import Bools, Floats, Ints
from features.kernel import Matrix
from models.learning import training
from models.learning.training import Rows, thirds
from models.newton import sigmoid
from models.trees.booster import Settings

LEAST_TO_SOFTEN = 20
"""With fewer converting leads a first model learns nothing: labels stay as they are."""


@dataclass(frozen=True)
class Later:
    """m of k rows, some days on: those whose lead was still open and had not converted in between."""

    row: Ints
    """Which of the rows, shape (m,), rising."""
    matrix: Matrix
    """Features as they were then, m rows; its texts have the codes of the rows' own matrix."""


@dataclass(frozen=True)
class Past:
    """What was known of k rows at one instant, shape (k,) each."""

    age: Floats
    """Days from the row to that instant: at least `days`."""
    came: Floats
    """Days from the row to its conversion; NaN where none was known."""
    days: float
    """How much later the later looks are."""
    within: float
    """The horizon, longer than that."""


def soften(rows: Rows, past: Past, later: Later, settings: Settings) -> Floats | None:
    """Soft labels of the rows in [0, 1], shape (k,); None where too few leads converted for a first model.

    `rows.y` is not looked at. What the first model says of a row is of members that saw no label of its account. A lead
    that was closed in between, opened again and won keeps the label that is known.
    """
    first, learn = _first(thirds(rows), past, later)
    if not _enough(first, learn):
        return None
    bag = training.fit(first, training.quick(settings), learn, doubt=False).bag
    known = past.age >= past.within
    soft = _by(past.came, np.where(known, past.within, past.days))  # what is settled is no guess
    said, row = sigmoid(bag.left_out[len(past.came) :]), later.row
    soft[row] = np.where(known[row], (said + soft[row]) / 2, said)
    return soft


def _first(rows: Rows, past: Past, later: Later) -> tuple[Rows, Bools]:
    """What the first model sees, the rows and then the later looks, with who converts in the rest of the horizon; and
    where that was known."""
    rest, row = past.within - past.days, later.row
    y = np.concatenate([_by(past.came, rest), _by(past.came[row], past.within)])
    known = np.concatenate([past.age >= rest, past.age[row] >= past.within])
    values = np.concatenate([rows.matrix.values, later.matrix.values])
    lead, group, fold, share = (np.concatenate([x, x[row]]) for x in (rows.lead, rows.group, rows.fold, rows.hash))
    return Rows(replace(rows.matrix, values=values), y, lead, group, fold, share), known


def _by(came: Floats, days: Floats | float) -> Floats:
    """1 where the conversion came within `days`, else 0; NaN never came."""
    return np.asarray(came <= days, dtype=np.float64)


def _enough(first: Rows, learn: Bools) -> bool:
    """Whether every member has converting leads to learn from, and rows of its own fold to stop by."""
    won = learn & (first.y > 0)
    parts = np.unique(first.fold)
    others = [len(np.unique(first.lead[won & (first.fold != k)])) for k in parts]
    return min(others, default=0) >= LEAST_TO_SOFTEN and all(learn[first.fold == k].any() for k in parts)
