"""Which attribute says the source, the campaign or the segment of a lead, by which figures are parted."""

from collections.abc import Iterable

from features.columns import Attribute
from features.plan import Plan
from pipeline.params import Definition
from pipeline.reading.naming import snake_case

NAMES = {
    "source": (
        "source",
        "lead_source",
        "original_source",
        "lead_origin",
        "utm_source",
        "hs_analytics_source",
        "channel",
    ),
    "campaign": ("campaign", "campaign_name", "utm_campaign", "lead_campaign", "hs_campaign"),
    "segment": ("segment", "customer_segment", "market_segment"),
}
"""Well-known names, the first that there is; definition.slices says another."""


def attribute_of(attributes: Iterable[Attribute], definition: Definition, by: str) -> Attribute | None:
    """The categorical attribute that says it, if there is one."""
    there = [a for a in attributes if a.kind == "categorical"]
    said = getattr(definition.slices, by)
    if said is not None:
        return next((a for a in there if a.column == said), None)
    named = {snake_case(a.column): a for a in reversed(there)}
    return next((named[name] for name in NAMES[by] if name in named), None)


def column_of(plan: Plan, definition: Definition, by: str) -> str | None:
    """The kernel's column of it."""
    found = attribute_of(plan.attributes, definition, by)
    return None if found is None else plan.column_of[found]
