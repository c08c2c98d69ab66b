"""Stage points: the hand-tuned points of every example."""

from dataclasses import dataclass

import polars as pl

from pipeline import stage
from pipeline.assembly.values import instants
from pipeline.handtuned.inputs import Inputs, read_inputs, read_table
from pipeline.handtuned.records import tallying


@dataclass(frozen=True)
class Replayed:
    """The points of the examples."""

    rows: pl.DataFrame
    """`lead_id, as_of`; where there is a table also `points`, those of each group, `qualified` and `eligible`."""
    fired: dict[str, int]
    """By rule, for how many of the examples it held."""


def replay(inputs: Inputs, examples: pl.DataFrame) -> Replayed:
    """Points of every example, in their order. `eligible`: no exclusion holds of the lead."""
    table, found = inputs.table, tallying(inputs)(examples["lead_id"], instants(examples))
    columns = {"points": found.total} | {f"points_{name}": found.groups[:, i] for i, name in enumerate(table.groups)}
    rows = examples.select("lead_id", "as_of").with_columns(
        **{name: pl.Series(values) for name, values in columns.items()},
        qualified=pl.Series(found.qualified),
        eligible=pl.Series(~found.excluded),
    )
    return Replayed(rows, {rule.id: int(n) for rule, n in zip(table.rules, found.fired, strict=True)})


def main() -> None:
    """Read tables and examples, write the points of every example."""
    table, examples = read_table(), stage.read_table(stage.EXAMPLES)
    none = Replayed(examples.select("lead_id", "as_of"), {})
    found = none if table is None else replay(read_inputs(table), examples)
    stage.write_table(found.rows, stage.POINTS)
    stage.write_json({"examples": len(examples), "held": found.fired}, stage.POINTS_RULES)
