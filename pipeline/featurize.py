"""Stage featurize: the kernel's features of every example. Nothing is fitted here."""

from collections.abc import Sequence

import polars as pl

from features.columns import Attribute
from features.plan import Plan, plan_to_json
from pipeline import stage
from pipeline.assembly.featuring import features
from pipeline.assembly.matrices import frame_of
from pipeline.assembly.planning import end_of_train, learn_plan
from pipeline.assembly.values import Tables
from pipeline.params import Definition


def featurize(
    tables: Tables, examples: pl.DataFrame, attributes: Sequence[Attribute], definition: Definition
) -> tuple[Plan, pl.DataFrame]:
    """The plan, and `lead_id, as_of` with one column a feature, a row an example in their order."""
    plan = learn_plan(tables, attributes, definition, end_of_train(examples))
    return plan, pl.concat([examples.select("lead_id", "as_of"), frame_of(features(tables, plan, examples))],
                           how="horizontal")  # fmt: skip


def main() -> None:
    """Read tables and examples, write the plan and the features."""
    examples = stage.read_table(stage.EXAMPLES)
    plan, frame = featurize(stage.read_tables(), examples, stage.read_attributes(), stage.section(Definition))
    stage.write_table(frame, stage.FEATURES)
    stage.write_json(plan_to_json(plan), stage.PLAN)
