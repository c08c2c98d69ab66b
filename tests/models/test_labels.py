"""Examples and labels, contract section 2 to the letter."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrays import DAY_US, NEVER
from features.records import Events, Records, starts
from features.sorting import sort_stages
from models.learning.labels import (
    Conversions,
    Examples,
    at_ages,
    at_instants,
    beginnings,
    conversions_of_stages,
    labelled,
    next_conversion,
)

CLOSES, REOPENS, WON = ("won", "lost"), ("recycled",), "won"
Rows = list[tuple[int, str]]
"""Stages of one lead: µs and name."""


def records(leads: list[tuple[int, Rows]]) -> Records:
    """Leads with a creation and stages, each its own account."""
    rows = [(i, at, name) for i, (_, stages) in enumerate(leads) for at, name in stages]
    n = len(leads)
    names = [r[2] for r in rows]
    stages = sort_stages(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.zeros(len(rows), np.int16),
        np.array([(x in CLOSES) - (x in REOPENS) for x in names], np.int16),
        np.array([x == WON for x in names], bool),
        n,
    )
    none = np.zeros(0, np.int64)
    small = none.astype(np.int16)
    events = Events(none, none, small, small, np.zeros(0), np.zeros(n + 1, np.int64))
    created = np.array([c for c, _ in leads], np.int64)
    return Records(created, np.arange(n), np.empty((n, 0)), {}, events, stages, {}, np.arange(n + 1))


def examples(leads: list[tuple[int, Rows]], ages: list[float], within: float, until: int) -> Examples:
    """The labelled examples at ages."""
    r = records(leads)
    lead, as_of = at_ages(r, ages, until)
    return labelled(r, conversions_of_stages(r), lead, as_of, within, until)


def days(found: Examples) -> list[tuple[int, float, float | None]]:
    """(lead, day of the example, label)."""
    label = [None if np.isnan(y) else y for y in found.label]
    return list(zip(found.lead.tolist(), (found.as_of / DAY_US).tolist(), label, strict=True))


def d(day: float) -> int:
    """µs of a day."""
    return round(day * DAY_US)


@pytest.mark.parametrize(
    ("won_at", "label"),
    [(d(10), None), (d(10) + 1, 1), (d(100), 1), (d(100) + 1, 0)],
)
def test_the_horizon_is_open_at_its_start_and_closed_at_its_end(won_at: int, label: float | None) -> None:
    """Label 1 in (as_of, as_of + within]; a lead that converts at the very instant is closed, and no example."""
    found = days(examples([(0, [(won_at, "won")])], [10], 90, d(500)))
    assert found == ([] if label is None else [(0, 10, label)])


@pytest.mark.parametrize(("until", "mature"), [(d(100), True), (d(100) - 1, False)])
def test_maturity_needs_the_whole_horizon(until: int, mature: bool) -> None:
    """Mature where as_of + within <= until; before that no label, not even of one who has converted."""
    for stages in ([], [(d(50), "won")]):
        found = examples([(0, stages)], [10], 90, until)
        assert found.mature.tolist() == [mature]
        assert np.isnan(found.label[0]) != mature
        assert found.label[0] != 0 or mature


def test_the_present_is_the_last_instant() -> None:
    """An example at `until` exists, one after it does not."""
    assert days(examples([(0, [])], [1, 2, 3], 90, d(2))) == [(0, 1, None), (0, 2, None)]


def test_ages_are_parts_of_days_to_the_microsecond() -> None:
    """0.7 days, which no binary fraction is, are 60,480 s and no microsecond less."""
    assert examples([(0, [])], [0.7], 90, d(1)).as_of.tolist() == [60_480_000_000]


def test_a_closed_lead_is_no_example_until_it_is_opened_again() -> None:
    """Closed from the closing instant on; ages start again at the reopening, as a new episode."""
    stages = [(d(2), "lost"), (d(10), "recycled"), (d(12), "mql"), (d(20), "won")]
    found = examples([(0, stages)], [0, 1, 2, 9, 10], 5, d(100))
    assert days(found) == [(0, 0, 0), (0, 1, 0), (0, 10, 0), (0, 11, 0), (0, 12, 0), (0, 19, 1)]
    assert found.age_days.tolist() == [0, 1, 0, 1, 2, 9]


def test_recycling_an_open_lead_starts_nothing() -> None:
    """A reopening stage of a lead that is open is a stage like any other."""
    assert days(examples([(0, [(d(1), "recycled")])], [0, 2], 5, d(100))) == [(0, 0, 0), (0, 2, 0)]


def test_an_episode_of_no_length_gives_no_example_twice() -> None:
    """Created, lost and recycled in one instant: one example an age, not two."""
    stages = [(0, "lost"), (0, "recycled")]
    assert days(examples([(0, stages)], [0, 1], 5, d(100))) == [(0, 0, 0), (0, 1, 0)]


def test_fixed_instants_need_an_open_lead() -> None:
    """At fixed instants: leads that exist and are open then, once each, in any order given."""
    r = records([(d(1), []), (d(3), []), (d(0), [(d(2), "lost")])])
    lead, as_of = at_instants(r, [d(9), d(2), d(2), d(3)], d(5))
    assert list(zip(lead.tolist(), (as_of // DAY_US).tolist(), strict=True)) == [(0, 2), (0, 3), (1, 3)]
    assert len(at_instants(r, [d(9)], d(5))[0]) == 0
    assert at_instants(r, [d(5)], d(5))[0].tolist() == [0, 1], "the present is the last"
    assert len(at_instants(records([]), [d(2)], d(5))[0]) == 0


def test_conversions_that_repeat_do_not_close() -> None:
    """With repeats each example looks at the next conversion after it, however many came before."""
    r = records([(0, [])])
    lead, as_of = at_ages(r, [0, 10, 11, 30], d(200))
    at = np.array([d(10), d(20)])
    conversions = Conversions(at, at, starts(np.array([0, 0]), 1))
    found = labelled(r, conversions, lead, as_of, 10, d(200))
    assert found.label.tolist() == [1, 1, 1, 0]


def test_a_later_conversion_may_be_known_before_an_earlier_one() -> None:
    """What was known of conversions at an instant is those whose records had come, whatever happened before them."""
    at, known = np.array([d(4), d(6), d(5)]), np.array([d(9), d(7), d(5)])
    found = Conversions(at, known, starts(np.array([0, 0, 2]), 3))
    for by, days_then in ((6, [NEVER, NEVER, d(5)]), (7, [d(6), NEVER, d(5)]), (9, [d(4), NEVER, d(5)])):
        first, _ = next_conversion(found.known_by(d(by)), np.arange(3), np.zeros(3, np.int64))
        assert first.tolist() == days_then


def test_days_to_a_conversion_are_told_once_it_has_come() -> None:
    """Of a conversion within the horizon that has come by the present, and until its record did; else of none."""
    r = records([(0, []), (0, []), (0, [])])
    at, known = np.array([d(4), d(8), d(20)]), np.array([d(6), d(8), d(20)])
    lead, as_of = at_ages(r, [1], d(5))
    found = labelled(r, Conversions(at, known, starts(np.arange(3), 3)), lead, as_of, 10, d(5))
    assert np.array_equal(found.days_to_conversion, [3, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(found.days_to_record, [5, np.nan, np.nan], equal_nan=True)


def test_a_lead_opened_again_begins_once() -> None:
    """However many stages it enters at that instant, and whoever stands before it."""
    stages = [(d(2), "lost"), (d(3), "recycled"), (d(3), "mql"), (d(4), "mql")]
    lead, since = beginnings(records([(0, stages), (d(1), stages)]))
    assert sorted(zip(lead.tolist(), (since / DAY_US).tolist(), strict=True)) == [(0, 0), (0, 3), (1, 1), (1, 3)]


def test_no_leads_no_examples() -> None:
    """Empty records and records without stages are no error."""
    assert len(examples([], [0, 1], 5, d(9))) == 0
    assert len(examples([(0, [])], [], 5, d(9))) == 0


def slowly(leads: list[tuple[int, Rows]], ages: list[float], within: float, until: int) -> set[tuple[object, ...]]:
    """The same by walking through every lead's life."""
    found = set()
    for i, (created, stages) in enumerate(leads):
        life = sorted(stages, key=lambda s: s[0])
        begun, is_open = [created], True
        for at, name in life:
            if name in REOPENS and not is_open:
                begun.append(at)
            is_open = name not in CLOSES if name in (*CLOSES, *REOPENS) else is_open
        for since in begun:
            for age in ages:
                t = since + d(age)
                past = [s for s in life if s[0] <= t]
                last_open, is_open = created, True
                for at, name in past:
                    if name in CLOSES:
                        is_open = False
                    elif name in REOPENS and not is_open:
                        is_open, last_open = True, at
                if created <= t <= until and is_open and last_open == since:
                    mature = t + d(within) <= until
                    y = any(name == WON and t < at <= t + d(within) for at, name in life)
                    found.add((i, t, age, float(y) if mature else None, mature))
    return found


@given(st.integers(0, 2**32), st.sampled_from([1, 2.5, 7]))
@settings(max_examples=150)
def test_examples_are_those_of_a_walk_through_every_life(seed: int, within: float) -> None:
    """Any lives of stages, ties and reopenings: the same examples, ages, labels and maturity."""
    rng = random.Random(seed)
    names = ["mql", "won", "lost", "recycled"]
    leads = [
        (
            d(rng.randrange(4)),
            [(d(rng.randrange(1, 16) / 2), rng.choice(names)) for _ in range(rng.randrange(6))],
        )
        for _ in range(4)
    ]
    ages, until = [0, 0.5, 1, 3], d(rng.randrange(4, 14))
    found = examples(leads, ages, within, until)
    label = [None if np.isnan(y) else y for y in found.label.tolist()]
    rows = list(
        zip(
            found.lead.tolist(),
            found.as_of.tolist(),
            found.age_days.tolist(),
            label,
            found.mature.tolist(),
            strict=True,
        )
    )
    assert len(set(rows)) == len(rows)
    assert set(rows) == slowly(leads, ages, within, until)
