"""Scoring requests, as contract section 7 has them, to the kernel's arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from operator import attrgetter
from typing import Any

import numpy as np

from features.arrays import Ints
from features.columns import Block
from features.kernel import Matrix, compute
from features.masking import mask
from features.plan import Plan
from features.records import Events, History, Records, Stages, starts
from features.sorting import Happened, sort_events, sort_stages
from models.bundle.lives import Change, Life, Lives, Reading
from models.bundle.values import Item, WrongRequest, amount, each, identity, micros, objects, part

OPTIONAL: tuple[Block, ...] = ("account", "events", "stages", "history", "account_leads")


@dataclass(frozen=True)
class Asked:
    """k leads to score, each among the leads of its account."""

    records: Records
    lead: Ints
    """Shape (k,): places among the records."""
    as_of: Ints
    """Shape (k,), µs."""
    unknown: tuple[frozenset[Block], ...]
    """What nobody knows of each lead. What nobody knows of any of them is in the records, too."""
    worth: tuple[float | None, ...]
    """Deal value that each lead says of itself."""

    def some(self, rows: Sequence[int]) -> "Asked":
        """A few of the leads asked for, among the same records."""
        unknown, worth = tuple(self.unknown[i] for i in rows), tuple(self.worth[i] for i in rows)
        return Asked(self.records, self.lead[rows], self.as_of[rows], unknown, worth)


def unknown_parts(request: Mapping[str, Any]) -> frozenset[Block]:
    """What a request leaves out, or has as null: nobody knows. An empty list says there was nothing."""
    return frozenset([name for name in OPTIONAL if request.get(name) is None])


def instant(request: Mapping[str, Any], reading: Reading, now: int | None = None) -> int:
    """`as_of` of a request in µs; `now` where it gives none. Raises WrongRequest, also where there is neither."""
    given = request.get("as_of")
    return now if given is None and now is not None else micros(given, "as_of", reading.zone)


def asked(request: Mapping[str, Any], reading: Reading) -> Asked:
    """Records of the lead and its colleagues. `as_of` must be there. Raises WrongRequest."""
    reader = Reader(reading)
    reader.add(request, instant(request, reading))
    return reader.asked()


def features_of(given: Asked, plan: Plan) -> Matrix:
    """The kernel's features of the leads asked for, a row each."""
    matrix = compute(given.records, plan, given.lead, given.as_of)
    for unknown in set(given.unknown) - {given.records.unknown}:
        rows = [i for i, own in enumerate(given.unknown) if own == unknown]
        matrix.values[rows] = mask(matrix.values[rows], matrix.columns, unknown)
    return matrix


class Reader:
    """Requests, read one after another, an account each."""

    def __init__(self, reading: Reading) -> None:
        self._lives, self._reading = Lives(reading), reading
        self._needed = frozenset[Block]({"events", "stages"}).intersection(reading.plan.blocks)
        """What must be known of every colleague, or nobody knows what they did: as where such a table is absent."""
        self._accounts: list[list[Life]] = []
        self._read = 0
        """Leads of these accounts."""
        self._own: list[int] = []
        self._as_of: list[int] = []
        self._unknown: list[frozenset[Block]] = []
        self._worth: list[float | None] = []

    def __len__(self) -> int:
        return len(self._own)

    def add(self, request: Mapping[str, Any], as_of: int) -> None:
        """Read one more, as of an instant (µs). Raises WrongRequest, and then nothing stays."""
        account = {} if request.get("account") is None else part(request, "account")
        values = self._lives.account(account)
        own = self._lives.life(request, values)
        worth = amount(request["lead"].get("value"), "lead.value", self._reading.marks)
        if worth < 0:
            raise WrongRequest("lead.value", "a number of at least 0")
        as_of = as_of if self._reading.dated else 0
        colleagues, whole = self._colleagues(request, own.id, values, as_of)
        lives = sorted([own, *colleagues], key=attrgetter("created", "id"))
        self._as_of.append(as_of)
        self._own.append(self._read + next(i for i, life in enumerate(lives) if life is own))
        self._read += len(lives)
        self._accounts.append(lives)
        self._unknown.append(unknown_parts(request) | (frozenset() if whole else {"account_leads"}))
        self._worth.append(None if isnan(worth) else worth)

    def _colleagues(
        self, request: Mapping[str, Any], own: str, account: Sequence[float], as_of: int
    ) -> tuple[list[Life], bool]:
        """The other leads of the account, each once and none that objects; and whether all that is needed is known of
        each that was there by `as_of`. All leads of an account, as a CRM lists them, have the lead `own` among them."""
        seen, whole = {own}, True

        def read(other: Item) -> Life | None:
            nonlocal whole
            lead = part(other, "lead")
            name = identity(lead.get("lead_id"), "lead.lead_id", self._reading.marks)
            again = name != "" and name in seen
            seen.add(name)
            if again or objects(lead, self._reading.marks):
                return None
            life = self._lives.life(other, account)
            whole = whole and (life.created > as_of or not unknown_parts(other) & self._needed)
            return life

        return [life for life in each(request, "account_leads", read) if life is not None], whole

    def asked(self) -> Asked:
        """All that was read."""
        reading = self._reading
        lives = [life for account in self._accounts for life in account]
        sizes = np.array([len(account) for account in self._accounts], np.int64)
        records = Records(
            created=np.array([life.created for life in lives], np.int64),
            account=np.arange(len(sizes)).repeat(sizes),
            attributes=np.array([life.values for life in lives], np.float64).reshape(len(lives), reading.width),
            levels={},
            events=_events(lives, reading.plan),
            stages=_stages(lives),
            history=self._history(),
            account_start=np.concatenate([[0], sizes.cumsum()]),
            unknown=frozenset.intersection(*self._unknown) if self._unknown else frozenset(),
        )
        for field in reading.fields:
            if field.attribute.kind == "categorical":
                records.levels[reading.plan.columns[field.at].name] = list(self._lives.codes[field.number])
        own, as_of = np.array(self._own, np.int64), np.array(self._as_of, np.int64)
        return Asked(records, own, as_of, tuple(self._unknown), tuple(self._worth))

    def _history(self) -> dict[str, History]:
        """By column. An account's rows, given with any of its leads, hold for all of them."""
        changes, leads = self._changes(), self._read
        if not changes:
            return {}
        places, times, *values = zip(*changes, strict=True)
        place, at = np.array(places, np.int64), np.array(times, np.int64)
        order = np.lexsort((at, place))  # rows of one instant stay as they came
        at, start = at[order], starts(place[order], len(self._reading.past) * leads)
        value = np.array(values, np.float64)[:, order]
        found: dict[str, History] = {}
        for i, columns in enumerate(self._reading.past):
            own = start[i * leads : (i + 1) * leads + 1]
            rows = slice(own[0], own[-1])
            if rows.start < rows.stop:
                for column, mine in zip(columns, value, strict=False):
                    found[column] = History(at[rows], mine[rows], own - rows.start)
        return found

    def _changes(self) -> list[Change]:
        """Of all leads; first comes the place of attribute and lead together, attribute by attribute."""
        found, lead, is_shared = list[Change](), 0, self._reading.shared
        for lives, own, unknown in zip(self._accounts, self._own, self._unknown, strict=True):
            shared = [change for life in lives for change in life.history if change[0] in is_shared]
            for life in lives:
                if lead != own or "history" not in unknown:  # else nobody knows, whatever others say of the account
                    mine = [change for change in life.history if change[0] not in is_shared]
                    found += [(i * self._read + lead, at, a, b) for i, at, a, b in (*mine, *shared)]
                lead += 1
        return found


def _lead(counts: Sequence[int]) -> Ints:
    return np.arange(len(counts)).repeat(counts)


def _events(lives: Sequence[Life], plan: Plan) -> Events:
    every = [event for life in lives for event in life.events]
    known, occurred, slot, topic, value, what = zip(*every, strict=True) if every else ((),) * 6
    rows = Happened(
        _lead([len(life.events) for life in lives]), np.array(known, np.int64), np.array(occurred, np.int64),
        np.array(slot, np.int16), np.array(topic, np.int16), np.array(value, np.float64), np.array(what, np.int64),
    )  # fmt: skip
    return sort_events(rows, len(lives), plan)


def _stages(lives: Sequence[Life]) -> Stages:
    every = [stage for life in lives for stage in life.stages]
    at, code, effect, won = zip(*every, strict=True) if every else ((),) * 4
    return sort_stages(
        _lead([len(life.stages) for life in lives]), np.array(at, np.int64), np.array(code, np.int16),
        np.array(effect, np.int16), np.array(won, bool), len(lives),
    )  # fmt: skip
