"""What a table of points looks at: every event by its own name, and attributes with their past, as flat arrays.

The kernel's records will not do: they share a slot among rare types, drop what sellers did, and set a mail scanner's
clicks apart. Marketing tools count every click, so the replay does too.
"""

from dataclasses import dataclass

from features.arrays import Floats, Ints
from features.records import History


@dataclass(frozen=True)
class FieldRecords:
    """An attribute of n leads."""

    levels: tuple[str, ...] | None
    """Texts of the codes; None where the values are numbers (true is 1)."""
    now: Floats
    """Shape (n,): numbers, or codes into `levels`; NaN missing."""
    history: History | None
    """Where there is one, only it counts."""

    def at(self, lead: Ints, as_of: Ints) -> Floats:
        """The value known of each example, shape (k,); NaN missing."""
        return self.now[lead] if self.history is None else self.history.known(lead, as_of)


@dataclass(frozen=True)
class PointRecords:
    """n leads and their m events, sorted by lead and `known`."""

    created: Ints
    """Shape (n,), µs; 0 for a lead without a date."""
    known: Ints
    """Shape (m,): max(occurred_at, available_at), µs."""
    occurred: Ints
    kind: Ints
    """Code of the type in `types`."""
    topic: Ints
    """Code of the topic in `topics`, -1 for none."""
    value: Floats
    """NaN for none."""
    day: Ints
    """Number of the calendar day, in source.timezone."""
    start: Ints
    """Shape (n + 1,): the events of lead i are `start[i]:start[i + 1]`."""
    types: tuple[str, ...]
    topics: tuple[str, ...]
    fields: dict[str, FieldRecords]
    """By the name that the table of points uses."""

    def __len__(self) -> int:
        return len(self.created)
