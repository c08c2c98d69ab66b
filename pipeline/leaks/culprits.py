"""Which column, event type or stage of the user's a feature is made of, and what to do about it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from features.columns import Column
from features.masking import ATTRIBUTES
from features.own import OWN
from features.vocabulary import ENGAGEMENT_TOTAL, INTENT_TOTAL

UNDATED = ("lead", "account")
"""Blocks whose values have no time: all that is known of when they were filled in is what the user says."""
STAGE_MEASURES = ("stage_days", "stage", "in_stage_days", "stages_entered")
TOTALS = (ENGAGEMENT_TOTAL, INTENT_TOTAL)


@dataclass(frozen=True)
class Culprit:
    """What a feature is made of, by the name that its owner knows."""

    kind: str
    """column, history, events, topic, stage, count, own or made (of several things)."""
    name: str
    """The user's own name of it, or the feature's where it is made of several things."""
    theirs: str = ""
    """What the column is called in the input where source.columns renamed it."""
    others: bool = False
    """Of the other leads of the account."""

    @property
    def said(self) -> str:
        """In words."""
        shown = f"{self.name!r}{f' (your {self.theirs!r})' if self.theirs else ''}"
        return self._kind(shown) + (" of the account's other leads" if self.others else "")

    @property
    def plain(self) -> bool:
        """Whether it is one thing of the user's, not a feature made of several."""
        return self.kind not in ("count", "own", "made")

    def _kind(self, shown: str) -> str:
        return {
            "column": f"column {shown}",
            "history": f"column {shown}, as table history has it,",
            "events": f"events of type {shown}",
            "topic": f"events on topic {shown}",
            "stage": f"stage {shown}",
        }.get(self.kind, f"feature {shown}")

    @property
    def remedy(self) -> str:
        """What to do, besides leaks.allow."""
        joined = "if leads get their account_id later than they come, definition.exclude: [account_id]; else "
        return (joined if self.others else "") + self._remedy

    @property
    def _remedy(self) -> str:
        return {
            "column": "if it is filled in or overwritten during or after the contact, put it in definition.exclude:"
            f" {listed(self.name)}, or give its history",
            "history": "check history.changed_at: it must be when the value was known; or definition.exclude:"
            f" {listed(self.name)}",
            "events": "give events.available_at where the record came later than it happened; or definition.events:"
            f" {{{quoted(self.name)}: ignore}}",
            "topic": "give events.available_at where the record came later than it happened",
            "stage": "check stages.entered_at: it must be when the row was entered, not the day it was dated back to;"
            " or leave those rows out",
            "count": "it counts the attributes that are filled in: put those that are filled in later into"
            " definition.exclude, or give their history",
            "own": "it is of features/own.py: see what it is made of",
        }.get(
            self.kind,
            "see what it is made of: some of its records are dated before they were known, or leads.created_at was"
            " overwritten later",
        )


def listed(name: str) -> str:
    """A list of one, as it is written in params.yaml."""
    return f"[{quoted(name)}]"


def quoted(name: str) -> str:
    """A text in YAML, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z_][\w /.-]*", name) else json.dumps(name, ensure_ascii=False)


def culprit_of(column: Column, theirs: Mapping[str, str]) -> Culprit:
    """`theirs`: source.columns, our names to theirs."""
    if column.name in OWN:
        return Culprit("own", column.name)
    if column.measure in ATTRIBUTES:
        renamed = theirs.get(column.of, "")
        return Culprit("history" if column.block == "history" else "column", column.of, renamed)
    if column.measure == "known_fields":
        return Culprit("count", column.name)
    if column.measure == "topic":
        return Culprit("topic", column.of)
    if column.block == "stages" and column.measure in STAGE_MEASURES and column.of:
        return Culprit("stage", column.of)
    others = column.block == "account_leads"
    if (others or column.block == "events") and column.of and column.of not in TOTALS:
        return Culprit("events", column.of, others=others)
    return Culprit("made", column.name, others=others)


def allowed(culprit: Culprit, feature: str, allow: frozenset[str]) -> bool:
    """Whether leaks.allow names it, by any of its names."""
    return bool({culprit.name, culprit.theirs, feature} & allow)
