"""Stage screen: whether the features look ahead or tell the outcome, before anything is learned from them."""

from pipeline import stage
from pipeline.assembly.groups import groups_of
from pipeline.leaks.findings import conclude
from pipeline.leaks.rebuilds import check_rebuild, check_vocabulary
from pipeline.leaks.singles import check_single
from pipeline.leaks.twins import check_twins
from pipeline.params import Definition, Leaks, Source


def main() -> None:
    """Read tables, examples and features; write what was found, or stop and name it."""
    tables, examples, stored = stage.read_tables(), stage.read_table(stage.EXAMPLES), stage.read_table(stage.FEATURES)
    plan, attributes = stage.read_plan(), stage.read_attributes()
    params, theirs = stage.section(Leaks), stage.section(Source).columns
    groups = groups_of(examples, tables["leads"]).to_numpy()
    checks = [
        check_rebuild(tables, examples, stored, plan, params.examples, theirs),
        check_vocabulary(tables, examples, plan, attributes, stage.section(Definition)),
        check_single(examples, stored, groups, plan, params, theirs),
        check_twins(tables, examples, attributes),
    ]
    conclude(checks, stage.SCREENING)
