"""The way through the stages: order, steps and hand-over on leads written by hand."""

import numpy as np
import pytest

from features.arrays import DAY_US, NEVER, Bools, Ints
from models.funnel.ways import (
    CLOSED,
    CONVERTED,
    ON,
    OPEN,
    OUT,
    Episodes,
    days_standing,
    handover,
    in_order,
    position,
    reaching,
    standing,
    step,
    whole_way,
)

STAGES = ("mql", "sql", "opportunity", "won")
ENDS = {"won": CONVERTED, "lost": CLOSED, "": OPEN}


def episodes(*lives: tuple[dict[str, float], str, float]) -> Episodes:
    """Of (stage to day of entry, how it ended, day of the end or of the present); the present is day 100."""
    entered = np.array(
        [
            [day * DAY_US if (day := entries.get(s, -1)) >= 0 else NEVER for s in STAGES[:-1]]
            + [over * DAY_US if end == "won" else NEVER]
            for entries, end, over in lives
        ]
    ).astype(np.int64)
    n: Ints = np.arange(len(lives))
    over = np.array([day * DAY_US for _, _, day in lives]).astype(np.int64)
    again: Bools = np.zeros(len(lives), bool)
    ends = np.array([ENDS[end] for _, end, _ in lives])
    return Episodes(n, 0 * n, over, ends, n, 100 * DAY_US, STAGES, entered, again)


def test_stages_stand_in_the_order_in_which_leads_enter_them() -> None:
    """By who comes before whom, not by the time since the beginning: here sql is seldom late, and yet second."""
    e = episodes(({"mql": 50, "sql": 60}, "", 100), ({"mql": 1, "opportunity": 9}, "", 100),
                 ({"sql": 2, "opportunity": 3}, "", 100), ({"sql": 2}, "lost", 5))  # fmt: skip
    names = ("sql", "opportunity", "mql", "unused")
    entered = np.column_stack([e.entered[:, [1, 2, 0]], np.full(4, NEVER)])
    assert [names[j] for j in in_order(entered, names)] == ["mql", "sql", "opportunity"]


def test_a_step_leads_to_the_next_stage_or_beyond() -> None:
    """Days from the entry to what came next; closed is another way out, and what is open is followed so far."""
    e = episodes(({"mql": 1, "sql": 4}, "", 100), ({"mql": 2, "opportunity": 9}, "", 100), ({"mql": 5}, "lost", 25),
                 ({"mql": 90}, "", 100), ({"sql": 3}, "", 100))  # fmt: skip
    spells, there = step(e, 0)
    assert there.tolist() == [True, True, True, True, False]
    assert spells.days.tolist() == [3, 7, 20, 10]
    assert spells.end.tolist() == [ON, ON, OUT, OPEN]
    assert spells.possible.tolist() == [99, 98, 95, 10]


def test_who_comes_back_from_beyond_takes_no_step() -> None:
    """A lead that was in a later stage before does not enter the earlier one as others do."""
    e = episodes(({"sql": 1, "mql": 5}, "", 100), ({"mql": 1}, "", 100))
    assert step(e, 0)[1].tolist() == [False, True]


def test_reached_is_never_less_than_a_later_stage() -> None:
    """Who is won reached every stage before, entered or not."""
    e = episodes(({}, "won", 30), ({"sql": 4}, "lost", 9))
    assert [int((reaching(e, k).end == ON).sum()) for k in range(4)] == [2, 2, 1, 1]
    assert whole_way(e).end.tolist() == [ON, OUT]
    assert standing(e).tolist() == [3, 1]


def test_days_standing_add_up_to_the_days_open() -> None:
    """Every open day is a day in one place."""
    e = episodes(({"mql": 10, "sql": 30}, "lost", 50), ({}, "won", 20), ({"opportunity": 7}, "", 100))
    found = days_standing(e)
    assert found.tolist() == [10 + 20 + 7, 20, 20, 93]
    assert found.sum() == pytest.approx((e.over - e.begin).sum() / DAY_US)
    at = np.array([9, 10, 40]) * DAY_US
    assert position(e, np.zeros(3, np.int64), at).tolist() == [-1, 0, 1]


def test_received_unqualified_by_hand() -> None:
    """Never qualified: at once. Closed before it went on: then. Qualified and on to an opportunity: not."""
    e = episodes(({"mql": 1, "sql": 5, "opportunity": 9}, "lost", 12), ({"sql": 5}, "", 100),
                 ({"mql": 1, "sql": 5}, "lost", 8), ({"mql": 7, "opportunity": 7}, "", 100),
                 ({"mql": 1}, "won", 9))  # fmt: skip
    found = handover(e)
    assert found is not None
    assert found.stage == "sql"
    assert found.spells.end.tolist() == [OUT, ON, ON, OPEN]
    assert found.spells.days.tolist() == [4, 0, 3, 93]
    assert found.without is not None
    assert found.without.tolist() == [False, True, False, False]
