"""One kernel: the slow reference's features, alone as in a batch, and nothing of the future."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import slowly
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import BASE, DAY, PLAN, World, cut, instants, random_world, request, shuffled, tables

import features.kernel as kernel
from features.arrays import Ints
from features.catalogue import EventType
from features.columns import Attribute
from features.kernel import Matrix, compute
from features.masking import mask
from features.own import OWN
from features.plan import Plan, plan_of_json, plan_to_json
from features.records import Records, take
from models.bundle.lives import Reading
from models.bundle.requests import OPTIONAL, asked, features_of
from pipeline.assembly.records import records_of

READING = Reading(PLAN)
seeds = st.integers(0, 2**32)
few = settings(max_examples=25)


def examples(world: World, seed: int) -> tuple[Records, list[str], Ints, Ints]:
    """Records, and the leads that exist at some instants: ids, numbers, instants."""
    records, order = records_of(tables(world), PLAN)
    ids = order["lead_id"].to_list()
    created = {x["lead_id"]: x["created_at"] for x in world.leads}
    pairs = [(ids.index(i), t) for t in instants(seed) for i in ids if created[i] <= t]
    lead, as_of = (np.array([p[k] for p in pairs], np.int64) for k in (0, 1))
    return records, [ids[i] for i in lead], lead, as_of


def texts(matrix: Matrix, row: int) -> list[float | str]:
    """A row with texts for codes."""
    return [
        matrix.levels[c.name][int(v)] if c.categorical and v == v else float(v)
        for c, v in zip(matrix.columns, matrix.values[row], strict=True)
    ]


def assert_same(one: Matrix, row: int, other: Matrix, other_row: int) -> None:
    """Equal to the last bit, texts for codes."""
    for c, a, b in zip(one.columns, texts(one, row), texts(other, other_row), strict=True):
        assert a == b or (a != a and b != b), f"{c.name}: {a!r} and {b!r}"


@few
@given(seeds)
def test_features_are_those_of_the_slow_reference(seed: int) -> None:
    """Loops over rows, written from the contract, give the same features."""
    world = random_world(seed)
    records, ids, lead, as_of = examples(world, seed)
    matrix = compute(records, PLAN, lead, as_of)
    for row in range(0, len(ids), 3):
        expected = slowly.features(world, PLAN, ids[row], int(as_of[row]))
        for column, e, found in zip(PLAN.features, expected, texts(matrix, row), strict=True):
            same = e == found if isinstance(e, str) else isinstance(found, float) and _close(e, found)
            assert same, f"{column.name} of {ids[row]}: expected {e}, got {found}"


def _close(a: float, b: float) -> bool:
    return (a != a and b != b) or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


@few
@given(seeds)
def test_features_mean_what_they_say(seed: int) -> None:
    """A share is one, also after reopening and of events before the creation; an active day has an activity; no more
    fields are known than there are."""
    records, _, lead, as_of = examples(random_world(seed), seed)
    matrix = compute(records, PLAN, lead, as_of)
    column = {c.name: matrix.values[:, j] for j, c in enumerate(PLAN.features)}
    for name in ("engagement_silent_share", "intent_silent_share"):
        share = column[name][~np.isnan(column[name])]
        assert ((share >= 0) & (share <= 1)).all()
    pace = column["engagement_own_pace_90d"]
    assert (pace[~np.isnan(pace)] >= 1).all()
    assert (column["fit_known_fields"] <= len(PLAN.attributes)).all()


def test_a_night_of_imports_is_not_a_day_of_activity() -> None:
    """`known` says which events count, `occurred` when they were: fifty days' events that came in one night."""
    night = BASE + 60 * DAY
    lead = {"lead_id": "L", "account_id": None, "created_at": BASE}
    event = {"lead_id": "L", "type": "page_view", "topic": None, "value": None, "known_at": night}
    events = [{**event, "occurred_at": BASE + day * DAY} for day in range(50)]
    world = replace(random_world(0), leads=[lead], accounts=[], events=events, stages=[], history=[])
    records, _ = records_of(tables(world), PLAN)
    matrix = compute(records, PLAN, np.array([0, 0]), np.array([night - 1, night + DAY]))
    active = matrix.values[:, PLAN.place["engagement_active_days_90d"]]
    assert active.tolist() == [0, 50]
    assert matrix.values[1, PLAN.place["engagement_active_days_7d"]] == 0


@few
@given(seeds)
def test_a_lead_alone_has_its_batch_features(seed: int) -> None:
    """Its account taken out, its tables cut at the instant, or its JSON request: the same bits."""
    world = random_world(seed)
    records, ids, lead, as_of = examples(world, seed)
    batch = compute(records, PLAN, lead, as_of)
    for row in range(0, len(ids), 5):
        account = int(records.account[lead[row]])
        own = take(records, account, account + 1)
        place = lead[row : row + 1] - records.account_start[account]
        assert_same(compute(own, PLAN, place, as_of[row : row + 1]), 0, batch, row)
        one = asked(request(world, ids[row], int(as_of[row])), READING)
        assert_same(features_of(one, PLAN), 0, batch, row)


@few
@given(seeds)
def test_the_future_never_matters(seed: int) -> None:
    """Tables cut at the instant (later leads, events, stages, history gone) give the same features."""
    world = random_world(seed)
    records, ids, lead, as_of = examples(world, seed)
    whole = compute(records, PLAN, lead, as_of)
    for t in np.unique(as_of)[:3]:
        rows = np.flatnonzero(as_of == t)
        past, order = records_of(tables(cut(world, int(t))), PLAN)
        place = {i: n for n, i in enumerate(order["lead_id"])}
        mine = np.array([place[ids[r]] for r in rows], np.int64)
        part = compute(past, PLAN, mine, as_of[rows])
        for n, row in enumerate(rows):
            assert_same(part, n, whole, int(row))


@few
@given(seeds, seeds)
def test_the_order_of_rows_never_matters(seed: int, order_seed: int) -> None:
    """Rows of every table in another order give the same features (no two stages share an instant)."""
    world = random_world(seed)
    records, ids, lead, as_of = examples(world, seed)
    other, order = records_of(tables(shuffled(world, order_seed)), PLAN)
    assert [order["lead_id"][int(i)] for i in lead] == ids
    one, two = compute(records, PLAN, lead, as_of), compute(other, PLAN, lead, as_of)
    for row in range(len(ids)):
        assert_same(one, row, two, row)


@pytest.mark.parametrize("chunk", [1, 16, 17, 48, 100, 1 << 18])
def test_chunks_do_not_show(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the examples are cut into chunks, every one of them is computed, in any order of examples."""
    world = random_world(5, leads=10)
    records, _, lead, as_of = examples(world, 5)
    whole = compute(records, PLAN, lead, as_of)
    monkeypatch.setattr(kernel, "CHUNK", chunk)
    backwards = np.arange(len(lead))[::-1]
    part = compute(records, PLAN, lead[backwards], as_of[backwards])
    np.testing.assert_array_equal(part.values[backwards], whole.values)


def test_the_last_example_of_a_full_chunk_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads without events whose sizes fill a chunk to the last: none is left out."""
    world = World([{"lead_id": f"{i}", "created_at": BASE, "account_id": None} for i in range(8)])
    records, _ = records_of(tables(world), PLAN)
    lead, as_of = np.arange(8), np.full(8, BASE + DAY)
    monkeypatch.setattr(kernel, "CHUNK", int(sum(16 for _ in range(8))))
    sizes = [s.stop - s.start for s in kernel._chunks(records, PLAN, lead, as_of)]
    assert sum(sizes) == 8
    plain = Plan((), PLAN.types, (), (), ("won",), (), "won", blocks=("lead", "events"))
    assert sum(s.stop - s.start for s in kernel._chunks(records, plain, lead, as_of)) == 8
    age = PLAN.place["engagement_age_days"]
    assert (compute(records, PLAN, lead, as_of).values[:, age] == 1).all()


def test_late_events_are_unknown_before() -> None:
    """An event counts from when its record reached us, at the age of when it happened."""
    event = {"lead_id": "1", "type": "page_view", "topic": None, "value": None, "event_id": None}
    world = World(
        [{"lead_id": "1", "created_at": BASE, "account_id": None}],
        events=[
            {**event, "occurred_at": BASE + 2 * DAY, "known_at": BASE + 10 * DAY},
            {**event, "occurred_at": BASE + 6 * DAY, "known_at": BASE + 6 * DAY},
        ],
    )
    records, _ = records_of(tables(world), PLAN)
    at = BASE + np.array([9 * DAY, 10 * DAY - 1, 10 * DAY])
    matrix = compute(records, PLAN, np.zeros(3, np.int64), at)
    found = {c.name: matrix.values[:, j].tolist() for j, c in enumerate(matrix.columns)}
    assert found["engagement_page_view_all"] == [1, 1, 2]
    assert found["engagement_page_view_7d"] == [1, 1, 1]
    assert found["engagement_page_view_last_days"] == [3, 3.75, 4], "the latest that happened, not that came"


def _clicks(*seconds: float, kind: str = "mail_click") -> list[dict[str, object]]:
    return [
        {"lead_id": "1", "type": kind, "occurred_at": BASE + int(s * 1e6), "known_at": BASE + int(s * 1e6),
         "topic": None, "value": None, "event_id": None}
        for s in seconds
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("clicks", "people", "scanners"),
    [([0], 1, 0), ([0, 3], 1, 1), ([0, 3.000001], 2, 0), ([0, 2, 4, 6], 1, 3), ([0, 2, 60], 2, 1)],
)
def test_scanner_clicks_are_set_apart(clicks: list[float], people: int, scanners: int) -> None:
    """A click within 3 s of the click before it is a scanner's; the first of a burst stays."""
    plan = Plan((), (EventType("mail_click", "engagement"),), (), (), (), (), "won", blocks=("lead", "events"))
    world = World([{"lead_id": "1", "created_at": BASE, "account_id": None}], events=_clicks(*clicks))
    records, _ = records_of(tables(world), plan)
    matrix = compute(records, plan, np.zeros(1, np.int64), np.array([BASE + DAY]))
    found = {c.name: matrix.values[0, j] for j, c in enumerate(matrix.columns)}
    assert found["engagement_mail_click_all"] == people
    assert found["engagement_scanner_click_all"] == scanners


def test_a_real_event_after_a_scanners_click_makes_the_day_active() -> None:
    """A day whose first event is a scanner's click counts once something else happens in it."""
    events = _clicks(DAY / 1e6 - 1, DAY / 1e6 + 1) + _clicks(DAY / 1e6 + 600, kind="page_view")
    world = World([{"lead_id": "1", "created_at": BASE, "account_id": None}], events=events)
    records, _ = records_of(tables(world), PLAN)
    matrix = compute(records, PLAN, np.zeros(1, np.int64), np.array([BASE + 2 * DAY - 1]))
    names = [c.name for c in matrix.columns]
    assert matrix.values[0, names.index("engagement_active_days_7d")] == 2


@pytest.mark.parametrize("block", OPTIONAL)
def test_what_nobody_knows_is_nan(block: str) -> None:
    """A block left out makes its columns NaN, and a stored row masked alike is the very same."""
    world = random_world(11)
    lead = next(x["lead_id"] for x in world.leads if x["account_id"] == "A")
    whole = request(world, lead, BASE + 100 * DAY)
    full, part = asked(whole, READING), asked({k: v for k, v in whole.items() if k != block}, READING)
    a, b = (compute(x.records, PLAN, x.lead, x.as_of) for x in (full, part))
    hidden = mask(a.values, a.columns, [block])
    if block == "account":  # its history comes in another block
        hidden = hidden[:, [j for j, c in enumerate(a.columns) if c.block == "account"]]
        b = replace(b, values=b.values[:, [j for j, c in enumerate(a.columns) if c.block == "account"]])
        assert np.isnan(b.values).all()
    elif block == "events":  # a colleague's events are of the block of colleagues
        gone = [j for j, c in enumerate(a.columns) if c.block == "events"]
        assert np.isnan(b.values[:, gone]).all()
    if block != "history":
        np.testing.assert_array_equal(hidden, b.values)
    else:
        gone = [j for j, c in enumerate(a.columns) if c.block == "history"]
        assert np.isnan(b.values[:, gone]).all()


def test_an_attribute_with_history_is_known_from_history_alone() -> None:
    """What the CRM says today (999,999) is never a feature, known or not."""
    world = random_world(3)
    records, _, lead, as_of = examples(world, 3)
    j = [c.name for c in PLAN.features].index("intent_budget")
    assert 999_999 not in compute(records, PLAN, lead, as_of).values[:, j]
    blind = {k: v for k, v in tables(world).items() if k != "history"}
    records, _ = records_of(blind, PLAN)
    assert np.isnan(compute(records, PLAN, lead, as_of).values[:, j]).all()


def test_colleagues_titles_are_those_of_the_time() -> None:
    """A title that the CRM overwrote later does not tell the seniority of a colleague then."""
    people = [{"lead_id": i, "created_at": BASE, "account_id": "A", "job title": "CEO"} for i in "12"]
    event = {"lead_id": "2", "type": "page_view", "occurred_at": BASE + DAY, "known_at": BASE + DAY}
    change = {"entity": "lead", "id": "2", "field": "job title"}
    history = [
        {**change, "value": "Junior Analyst", "changed_at": BASE},
        {**change, "value": "CEO", "changed_at": BASE + 5 * DAY},
    ]
    records, _ = records_of(tables(World(people, events=[event], history=history)), PLAN)
    at = BASE + np.array([2, 5]) * DAY
    matrix = compute(records, PLAN, np.zeros(2, np.int64), at)
    level = matrix.values[:, [c.name for c in matrix.columns].index("engagement_colleagues_seniority_30d")]
    assert level.tolist() == [1, 6]


@pytest.mark.parametrize(("age", "inside"), [(30 * DAY - 1, 1), (30 * DAY, 0)])
def test_what_is_as_old_as_a_window_is_outside(age: int, inside: int) -> None:
    """Of the lead's own events and of its colleagues', counted or taken for a sign of life, to the microsecond."""
    leads = [{"lead_id": i, "created_at": BASE, "account_id": "A"} for i in "12"]
    events = [{"lead_id": i, "occurred_at": BASE, "known_at": BASE, "type": "page_view"} for i in "12"]
    records, _ = records_of(tables(World(leads, events=events)), PLAN)
    matrix = compute(records, PLAN, np.zeros(1, np.int64), np.array([BASE + age]))
    found = dict(zip((c.name for c in matrix.columns), matrix.values[0].tolist(), strict=True))
    for name in ("page_view_30d", "active_days_30d", "colleagues_page_view_30d", "colleagues_active_30d"):
        assert found[f"engagement_{name}"] == inside


def test_names_are_unique_and_say_their_group() -> None:
    """Names that become the same without foreign letters, or are like ours, still differ; all say their group."""
    names = [c.name for c in PLAN.features]
    assert len(set(names)) == len(names)
    assert all(n.isascii() and n.partition("_")[0] in ("fit", "engagement", "intent") for n in names)
    assert all(c.name.partition("_")[0] == c.group for c in PLAN.features)
    assert plan_of_json(plan_to_json(PLAN)) == PLAN
    assert set(OWN) <= set(names)


@given(
    st.lists(st.text(max_size=6), unique=True, max_size=8),
    st.lists(st.text(max_size=3), unique=True, max_size=5),
    st.lists(st.sampled_from(["engagement", "intent"]), min_size=8, max_size=8),
)
@settings(max_examples=60)
def test_any_names_make_a_plan(types: list[str], topics: list[str], groups: list[str]) -> None:
    """Event types, topics and stages of any text have columns with names of their own, and a slot each."""
    kinds = tuple(EventType(t, g) for t, g in zip(types, groups, strict=False))  # type: ignore[arg-type]
    attributes = tuple(Attribute(f"{t}", t, "lead", "categorical") for t in topics)
    plan = Plan(attributes, kinds, tuple(topics), tuple(topics), ("won",), (), "won")
    names = [c.name for c in plan.features]
    assert len(set(names)) == len(names)
    assert len({plan.event_code(t) for t in types} | {plan.scanner_slot, plan.other_slot}) == len(types) + 2
    assert {c.name for c in plan.features if c.categorical} >= set(plan.levels)


@pytest.mark.parametrize("name", ["any_intent", "any_engagement", "scanner_click", "other"])
@pytest.mark.parametrize("group", ["engagement", "intent"])
def test_an_event_type_may_be_called_like_a_slot_of_ours(name: str, group: str) -> None:
    """Its events count as its own, in its group's total, whether training knew the type or not."""
    plan = Plan((), (EventType(name, group),), (), (), (), (), "won", blocks=("lead", "events"))  # type: ignore[arg-type]
    blank = Plan((), (), (), (), (), (), "won", blocks=("lead", "events"))
    world = World([{"lead_id": "1", "created_at": BASE, "account_id": None}], events=_clicks(5, kind=name))
    for p, total in ((plan, group), (blank, "engagement")):
        records, _ = records_of(tables(world), p)
        matrix = compute(records, p, np.zeros(1, np.int64), np.array([BASE + DAY]))
        of = {(c.of, c.group, c.name.endswith("all")): matrix.values[0, j] for j, c in enumerate(matrix.columns)}
        assert of[f"any_{total}", total, True] == 1
        j = p.event_code(name)
        assert matrix.values[0, 1 + j * kernel.MEASURES + kernel.BINS - 1] == 1
    assert blank.event_code(name) == blank.other_slot


def test_zero_leads_and_zero_examples() -> None:
    """Nothing in, nothing out, with all the columns."""
    records, _ = records_of(tables(World([])), PLAN)
    none = np.zeros(0, np.int64)
    assert compute(records, PLAN, none, none).values.shape == (0, len(PLAN.features))
    records, _ = records_of(tables(random_world(1)), PLAN)
    assert compute(records, PLAN, none, none).values.shape == (0, len(PLAN.features))


def test_extreme_times_and_numbers() -> None:
    """From the year 1 to 9999, with NaN and huge values: finite or missing, and no warning."""
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999
    event = {"lead_id": "1", "type": "page_view", "topic": "X", "event_id": None}
    world = World(
        [{"lead_id": "1", "created_at": first, "account_id": "A", "Size (heads)": float("nan")},
         {"lead_id": "2", "created_at": last, "account_id": "A", "Size (heads)": 1e308}],
        events=[{**event, "occurred_at": first, "known_at": last, "value": 1e300},
                {**event, "occurred_at": first, "known_at": first, "value": float("nan")}],
        stages=[{"lead_id": "1", "stage": "mql", "entered_at": first}],
        history=[{"entity": "lead", "id": "1", "field": "budget", "value": "1", "changed_at": first}],
    )  # fmt: skip
    records, order = records_of(tables(world), PLAN)
    lead = np.array([0, 0, 1], np.int64)
    matrix = compute(records, PLAN, lead, np.array([first, last, last]))
    assert order["lead_id"].to_list() == ["1", "2"]
    assert not np.isinf(matrix.values).any()
    names = [c.name for c in matrix.columns]
    assert matrix.values[:2, names.index("engagement_page_view_all")].tolist() == [1, 2]


def test_an_instant_before_the_lead_is_no_error() -> None:
    """Asked too early, a lead has no events and no warning is raised."""
    world = random_world(2)
    records, _ = records_of(tables(world), PLAN)
    matrix = compute(records, PLAN, np.arange(6), np.full(6, BASE - 400 * DAY))
    assert (matrix.values[:, [c.name for c in matrix.columns].index("engagement_any_engagement_all")] == 0).all()


def test_a_crowded_account_is_bounded_work() -> None:
    """5,000 leads of one account: a chunk never holds many more events than it should, nor does an example
    look at more than the 50 newest of its colleagues."""
    n = 5_000
    people = [{"lead_id": f"{i:05}", "created_at": BASE + i * 1_000_000, "account_id": "A"} for i in range(n)]
    event = {"type": "page_view", "topic": None, "value": None, "event_id": None}
    events = [
        {**event, "lead_id": p["lead_id"], "occurred_at": BASE + DAY + k, "known_at": BASE + DAY + k}
        for p in people for k in range(3)
    ]  # fmt: skip
    records, _ = records_of(tables(World(people, events=events)), PLAN)
    lead, as_of = np.arange(n), np.full(n, BASE + 2 * DAY)
    matrix = compute(records, PLAN, lead, as_of)
    known = [c.name for c in matrix.columns].index("fit_colleagues_known")
    assert matrix.values[:, known].tolist() == [50.0] * n
    for part in kernel._chunks(records, PLAN, lead, as_of):
        assert (part.stop - part.start) * (50 * 3 + 50 + 3 + 16) <= 1.1 * kernel.CHUNK


def test_records_are_taken_whole() -> None:
    """The parts of some records, put together, are the records; computing on them changes nothing."""
    world = random_world(9)
    records, _, lead, as_of = examples(world, 9)
    before = [a.copy() for a in (records.events.known, records.attributes, records.stages.at)]
    compute(records, PLAN, lead, as_of)
    for old, new in zip(before, (records.events.known, records.attributes, records.stages.at), strict=True):
        np.testing.assert_array_equal(old, new)
    cuts = range(len(records.account_start))
    parts = [take(records, a, b) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate([p.events.slot for p in parts]), records.events.slot)
    assert sum(len(p) for p in parts) == len(records)


def test_a_missing_table_is_unknown() -> None:
    """Tables without events, stages, history or accounts: unknown, not empty; so is what colleagues did. A lead that
    has none by then is known to have none, as a request says by an empty list of them."""
    world = random_world(4)
    records, order = records_of(tables(world, without=["events", "stages", "history", "accounts"]), PLAN)
    assert records.unknown == {"events", "stages", "history", "account"}
    matrix = compute(records, PLAN, np.arange(6), np.full(6, BASE + 90 * DAY))
    gone = [j for j, c in enumerate(matrix.columns) if c.block in records.unknown]
    assert np.isnan(matrix.values[:, gone]).all()
    theirs = [j for j, c in enumerate(matrix.columns) if c.block == "account_leads"]
    alone = order["account_id"].is_null() | (
        order["account_id"].is_first_distinct() & order["account_id"].is_last_distinct()
    )
    assert 0 < alone.sum() < 6
    np.testing.assert_array_equal(np.isnan(matrix.values[:, theirs]).all(axis=1), ~alone.to_numpy())
    known = PLAN.place["fit_colleagues_known"]
    assert (matrix.values[alone.to_numpy(), known] == 0).all()
    before = compute(records, PLAN, np.arange(6), records.created)
    firsts = np.array(
        [
            (records.created[records.account == a].min() == at)
            for a, at in zip(records.account, records.created, strict=True)
        ]
    )
    assert (before.values[firsts, known] == 0).all()


def test_a_lead_without_an_account_does_not_hang_on_the_others() -> None:
    """Alone in a table or beside leads that have accounts: the same features."""
    lonely = {"lead_id": "1", "created_at": BASE, "account_id": None}
    found = []
    for others in ([], [{"lead_id": "2", "created_at": BASE, "account_id": "A"}]):
        records, order = records_of(tables(World([lonely, *others])), PLAN)
        lead = np.array([order["lead_id"].to_list().index("1")])
        found.append(compute(records, PLAN, lead, np.array([BASE + DAY])).values)
    np.testing.assert_array_equal(*found)


def test_all_null_attributes_are_missing() -> None:
    """A column without a value in the tables to score is missing, whatever its kind."""
    world = World([{"lead_id": "1", "created_at": BASE, "account_id": None}])
    records, _ = records_of(tables(world), PLAN)
    assert np.isnan(records.attributes).all()
    assert pl.Series(records.levels["fit_source"], dtype=pl.String).is_empty()
