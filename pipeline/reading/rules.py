"""Every code by which a row is refused or excluded, in the order they are tried. One row gets one code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`reason` never holds a value of the row. `excludes`: the row is right, but not used."""

    code: str
    reason: str
    excludes: bool = False


UNDECODABLE = Rule("undecodable_text", "holds bytes that are no text in source.encoding")
RAGGED = Rule("ragged_row", "has fewer or more fields than the line of column names, or a quote that does not close")
NO_ID = Rule("missing_id", "has no id")
TWIN = Rule("duplicate_row", "is identical to an earlier row, which stays")
CONFLICT = Rule("conflicting_id", "shares its id with a row that says something else; none of them is used")
OBJECTED = Rule("objected", "the person objects to being profiled", excludes=True)
TEST = Rule("test_record", "is a test of our own by its flag, name, address, id, source or company", excludes=True)
MISSING = Rule("missing_value", "a required cell is empty")
UNREADABLE = Rule("unreadable_time", "a time is not in the declared form (source.date_format, default ISO 8601)")
FUTURE = Rule("future_time", "a time is later than the start of ingest")
NUMBER = Rule("impossible_number", "a number is unreadable, infinite, or negative where it cannot be")
UNKNOWN_LEAD = Rule("unknown_lead", "its lead is not among the accepted leads")
OF_OBJECTED = Rule("objected", "belongs to a lead who objects to being profiled", excludes=True)
OF_TEST = Rule("test_record", "belongs to a test record", excludes=True)

RULES: dict[str, tuple[Rule, ...]] = {
    "leads": (
        UNDECODABLE, RAGGED, NO_ID, TWIN, CONFLICT, OBJECTED, TEST, MISSING, UNREADABLE, FUTURE, NUMBER,
    ),
    "accounts": (UNDECODABLE, RAGGED, NO_ID, TWIN, CONFLICT, NUMBER),
    "events": (
        UNDECODABLE, RAGGED, NO_ID, OF_OBJECTED, OF_TEST, UNKNOWN_LEAD, TWIN, MISSING, UNREADABLE, FUTURE,
        Rule("before_creation", "the conversion event lies before its lead's creation"),
        Rule("repeated_event", "its lead has an event of this event_id that was known earlier, which stays"),
    ),
    "stages": (
        UNDECODABLE, RAGGED, NO_ID, OF_OBJECTED, OF_TEST, UNKNOWN_LEAD, TWIN, MISSING, UNREADABLE, FUTURE,
        NUMBER,
        Rule("contradictory_outcome", "its lead is won and lost at the same instant; neither is used"),
        Rule("before_creation", "the outcome lies before its lead's creation"),
    ),
    "history": (
        UNDECODABLE, RAGGED, NO_ID, OF_OBJECTED, OF_TEST,
        Rule("personal_data", "its field is a name, an address or a phone number", excludes=True),
        MISSING,
        Rule("unknown_entity", "its lead or account is not among the accepted ones, or entity is neither"),
        TWIN, UNREADABLE, FUTURE, NUMBER,
    ),
}  # fmt: skip
