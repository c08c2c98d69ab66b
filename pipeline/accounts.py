"""Stage accounts: the probability that an account converts, learned, tested and told, and who is missing there."""

from typing import Any

import numpy as np
import polars as pl

from features.arrays import Floats
from features.kernel import Matrix
from features.plan import Plan
from models.folds import begin_of_test, whole_groups
from pipeline import stage
from pipeline.assembly.featuring import in_parts
from pipeline.assembly.groups import groups_of
from pipeline.assembly.values import Tables, instants
from pipeline.buying.looks import past
from pipeline.buying.model import Scorer, figures
from pipeline.learning.fitted import log_odds, log_odds_unseen, read_model
from pipeline.params import Definition, Train


def scorers(tables: Tables, plan: Plan, left_out: pl.DataFrame) -> tuple[Scorer, Scorer]:
    """By trees that never saw a lead's account, and by all. `left_out`: data/left_out.parquet, whose leads are those
    that the bag learned from."""
    fitted, params, leads = read_model(), stage.section(Train), tables["leads"]
    training = stage.read_json(stage.MODEL / "training.json")
    rounds, shift = training["rounds"], 0.0 if training["refresh"] is None else float(training["refresh"]["shift"])
    names = sorted(set(groups_of(left_out, leads).to_list()))
    member = dict(zip(names, whole_groups(names, params.seed, params.bags).tolist(), strict=True))

    def unseen(rows: pl.DataFrame, matrix: Matrix) -> Floats:
        mine = np.array([member.get(name, -1) for name in groups_of(rows, leads).to_list()], dtype=np.int64)
        # without the refresh, which is of the latest leads and would be learned away; `scored` has it
        return log_odds_unseen(fitted, matrix, mine, rounds) - shift

    def honest(rows: pl.DataFrame) -> Floats:
        return np.concatenate([unseen(*part) for part in in_parts(tables, plan, rows)])

    def scored(rows: pl.DataFrame) -> Floats:
        return np.concatenate([log_odds(fitted, matrix) for _, matrix in in_parts(tables, plan, rows)])

    return honest, scored


def why_not(tables: Tables, shape: str) -> str | None:
    """Why accounts have no probability; None where they have."""
    if tables["leads"]["account_id"].null_count() == len(tables["leads"]):
        return "no lead has an account_id"
    return None if shape == "dated" else "the tables do not say when a lead converted"


def main() -> None:
    """Write reports/accounts.json, and data/account_model.json for the bundle."""
    tables, until = stage.read_tables(), stage.read_until()
    reason = why_not(tables, stage.read_meta()["shape"])
    told: dict[str, Any] = {"reason": reason}
    kept: dict[str, Any] = {}
    with stage.speaking("accounts") as say:
        if reason is None and until is not None:
            say("looking at accounts every 28 days")
            plan, examples = stage.read_plan(), stage.read_table(stage.EXAMPLES)
            begin = begin_of_test(examples["fold"].to_numpy(), instants(examples))
            found = past(tables, plan, stage.section(Definition), until)
            honest, scored = scorers(tables, plan, stage.read_table(stage.LEFT_OUT))
            told, kept = figures(found, begin, honest, scored, stage.section(Train).seed)
    stage.write_json(told, stage.ACCOUNTS)
    stage.write_json(kept, stage.ACCOUNT_MODEL)
