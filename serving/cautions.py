"""Warnings of an answer: what was missing, never seen, out of range, or older than anything that was learned."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np

from features.arrays import Bools
from features.columns import Block, spelling
from features.kernel import Matrix
from features.levels import lookup
from features.plan import Plan
from models.bundle.folder import Bundle
from models.bundle.lives import entity_of
from models.bundle.requests import OPTIONAL

LEAD = frozenset({"lead_id", "account_id", "created_at", "converted", "objected", "value"})
BATCH = frozenset({"leads", "explain", "language"})
REQUEST = frozenset({"lead", *OPTIONAL, "as_of", "explain", "language"})
TEXTS = {
    "en": {
        "missing": "not given; scored without it",
        "unknown_field": "the model does not know this field",
        "history_only": "only the history of this field counts: send it in history, with changed_at",
        "unseen": "a value that is rare or was not there in training",
        "out_of_range": "a number outside the range of training",
        "older": "older than any lead that the model learned from",
    },
    "fi": {
        "missing": "puuttuu; pisteytetty ilman sitä",
        "unknown_field": "malli ei tunne tätä kenttää",
        "history_only": "vain kentän historia otetaan huomioon: lähetä se kohdassa history, changed_at mukana",
        "unseen": "arvo on harvinainen tai sitä ei ollut opetusaineistossa",
        "out_of_range": "luku on opetusaineiston vaihteluvälin ulkopuolella",
        "older": "vanhempi kuin yksikään liidi, josta malli oppi",
    },
    "sv": {
        "missing": "saknas; poängsatt utan det",
        "unknown_field": "modellen känner inte till fältet",
        "history_only": "endast fältets historik räknas: skicka det i history, med changed_at",
        "unseen": "värdet är ovanligt eller fanns inte i träningsdata",
        "out_of_range": "talet ligger utanför träningsdatas intervall",
        "older": "äldre än alla leads som modellen lärde sig av",
    },
}
MOST = 100
"""Warnings of an answer: an answer is not many times as large as its request."""
LONGEST = 100
"""A field's name is cut there: it is the caller's."""

Found = list[tuple[str, str]]
"""Codes and places."""


class Cautions:
    """What a bundle expects, looked up once."""

    def __init__(self, bundle: Bundle) -> None:
        plan, self._bundle = bundle.plan, bundle
        now = [a for a in plan.attributes if not a.has_history]
        self._fields = {e: {a.column for a in now if a.entity == e} for e in ("lead", "account")}
        self._fields["lead"] |= LEAD
        self._fields["account"] |= {"account_id"}
        self._past = {e: {a.column for a in plan.attributes if a.has_history and a.entity == e} for e in self._fields}
        left_out = bundle.training.get("left_out_columns", {})  # training saw them, and had a reason
        for entity, fields in self._fields.items():
            fields.update(left_out.keys() - self._past[entity])
        self._left_out = {spelling(column) for column in left_out}
        self._text, self._empty = bundle.lives.marks.text, bundle.lives.marks.empty
        self._blocks = [block for block in OPTIONAL if block in plan.blocks]
        self._known = (
            ("events", "type", plan.known_types),
            ("events", "topic", frozenset({None, *plan.topics})),
            ("stages", "stage", plan.known_stages),
        )
        self._places = _places(bundle)
        self._coded = [j for j, (name, _) in self._places.items() if name in bundle.encoding.levels]
        self._expected = _expected(plan)
        self._lacks = [("missing", f"{one.block}.{one.field}") for one in self._expected]
        self._first = np.array([one.at for one in self._expected], np.int64)
        self._of_account = np.array([one.block == "account" for one in self._expected], bool)
        ranges: Mapping[str, Sequence[float]] = bundle.training.get("ranges", {})
        self._numbers = np.array([j for j, (name, _) in self._places.items() if name in ranges], np.int64)
        self._range = np.array([ranges[self._places[j][0]] for j in self._numbers.tolist()]).reshape(-1, 2)
        ages = bundle.training.get("ages_days")
        self._age = plan.place["engagement_age_days"], ages[1] if ages else np.inf

    def of(self, requests: Sequence[Mapping[str, Any]], unknown: Sequence[Set[Block]], matrix: Matrix) -> list[Found]:
        """The warnings of each row, of which nobody knows the blocks of `unknown`. What was not given comes last, for
        there may be much of it."""
        value = matrix.values[:, self._numbers]
        beyond = (value < self._range[:, 0]) | (value > self._range[:, 1])
        old = matrix.values[:, self._age[0]] > self._age[1]
        found = [self._of_request(request) for request in requests]
        unseen = self._unseen(matrix)
        for code, columns, said in (("unseen", self._coded, unseen), ("out_of_range", self._numbers, beyond)):
            for row, j in np.argwhere(said).tolist():
                found[row].append((code, self._places[int(columns[j])][1]))
        for row in np.flatnonzero(old).tolist():
            found[row].append(("older", "lead.created_at"))
        for own, gone, lacking in zip(found, unknown, self._lacking(requests, matrix).tolist(), strict=True):
            own += [("missing", block) for block in self._blocks if block in gone]
            own += compress(self._lacks, lacking)
        return found

    def _lacking(self, requests: Sequence[Mapping[str, Any]], matrix: Matrix) -> Bools:
        """Which of the expected fields each row lacks, shape (k, expected): none of an account that is not given."""
        found = np.isnan(matrix.values[:, self._first])
        for i, one in enumerate(self._expected):
            if one.is_title:  # NaN as well where it says nothing that we know
                found[:, i] = [self._empty((request.get(one.block) or {}).get(one.field)) for request in requests]
        not_given = np.array([request.get("account") is None for request in requests])
        found &= ~(not_given[:, None] & self._of_account)
        return found

    def _of_request(self, request: Mapping[str, Any]) -> Found:
        found = strange(request, REQUEST)
        for entity in ("lead", "account"):
            item = request.get(entity)
            if item is not None:
                found += [
                    ("history_only" if key in self._past[entity] else "unknown_field", f"{entity}.{_name(key)}")
                    for key in sorted(item.keys() - self._fields[entity])
                ]
        for rows, key, known in self._known:
            texts = [row.get(key) for row in request.get(rows) or ()]  # the reader has checked that they are
            if not known.issuperset(texts):
                found += [("unseen", f"{rows}[{at}].{key}") for at in self._new(texts, known)]
        meant = self._bundle.lives.meant
        for place, row in enumerate(request.get("history") or ()):
            if not meant[entity_of(row.get("entity"))][row["field"]] and spelling(row["field"]) not in self._left_out:
                found.append(("unknown_field", f"history[{place}].field"))
        return found

    def _new(self, texts: Sequence[str | None], known: Set[str | None]) -> list[int]:
        """Where each text that is not known stands first."""
        first: dict[str | None, int] = {}
        for at, text in enumerate(texts):
            first.setdefault(text, at)
        new = [at for text, at in first.items() if text not in known]
        return [at for at in new if (word := self._text(texts[at])) and word not in known]

    def _unseen(self, matrix: Matrix) -> Bools:
        """Which of the coded columns have a text that is rare or new, shape (k, coded)."""
        found = np.zeros((len(matrix.values), len(self._coded)), bool)
        for at, j in enumerate(self._coded):
            name = self._places[j][0]
            new = [text not in self._bundle.encoding.codes[name] for text in matrix.levels[name]]
            if any(new):
                found[:, at] = lookup(np.array([*new, False]), matrix.values[:, j])
        return found


def _places(bundle: Bundle) -> dict[int, tuple[str, str]]:
    """Name and place in a request of each attribute's first column, by its number; titles are not looked up."""
    plan, found = bundle.plan, {}
    for a, (column, *_) in zip(plan.attributes, plan.columns_of, strict=True):
        if a.kind != "text":
            found[plan.place[column.name]] = column.name, f"{'history' if a.has_history else a.entity}.{a.column}"
    return found


@dataclass(frozen=True)
class Expected:
    """A field that training knew."""

    block: Block
    """Where a request has it."""
    field: str
    at: int
    """Its first column."""
    is_title: bool


def _expected(plan: Plan) -> list[Expected]:
    """The fields of leads, accounts and histories, in this order; titles of histories are not looked for."""
    found = [
        Expected(a.block, a.column, plan.place[column.name], a.kind == "text")
        for a, (column, *_) in zip(plan.attributes, plan.columns_of, strict=True)
        if not (a.kind == "text" and a.has_history)
    ]
    return sorted(found, key=lambda one: ("lead", "account", "history").index(one.block))


def strange(item: Mapping[str, Any], known: Set[str]) -> Found:
    """Fields of an object that nobody looks at."""
    return [("unknown_field", _name(key)) for key in sorted(item.keys() - known)]


def _name(key: str) -> str:
    return key if len(key) <= LONGEST else key[:LONGEST] + "…"


def said(found: Found, language: str) -> list[dict[str, str]]:
    """Warnings in words."""
    texts = TEXTS[language]
    return [{"code": code, "place": place, "text": texts[code]} for code, place in found[:MOST]]
