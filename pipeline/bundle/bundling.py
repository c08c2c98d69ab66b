"""Putting the bundle together: the model with all that turns records into answers, and its proof."""

import importlib.metadata
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.plan import plan_of_json
from models.bundle import folder as bundles
from models.bundle.golden import answer, golden_requests
from models.policy.policy import Policy, scale
from models.policy.routing import Routing, Rule
from models.policy.thresholds import continuity
from models.policy.values import Values
from pipeline import stage
from pipeline.bundle.card import card
from pipeline.errors import Stop
from pipeline.files import whole_folder
from pipeline.params import Definition, Source
from pipeline.params import Policy as PolicyParams
from pipeline.policy.thresholds import Standing, held, mark_of, threshold_of

GOLDEN = 20
LIBRARIES = ("lightgbm", "numpy", "polars", "scikit-learn", "mlflow", "dvc")


def policy_of(
    params: PolicyParams,
    predictions: pl.DataFrame,
    unseen: pl.DataFrame,
    values: Values,
    standing: Standing | None = None,
) -> Policy:
    """The policy of a run, by the calibrate fold, or by train where there is none.

    The score of percentiles is the rank among `predictions` (data/predictions.parquet), so that anyone can count it
    again. What promises a volume, the threshold and the scale of continuity, goes by `unseen` (unseen.py): a new lead
    is one that no tree saw either. `standing`: how leads have qualified until now; None where nothing says.

    Raises Stop where `params` ask for more than the data tell.
    """
    standing = standing or Standing()
    known = predictions.filter(pl.col("fold").is_in(["train", "calibrate"]))
    threshold = threshold_of(params, unseen, standing, values)
    benefit = None if params.threshold is None else params.threshold.net_benefit
    return Policy(
        scale=_scale(params, held(predictions), held(unseen), threshold, standing),
        base_rate=(float(known["label"].sum()) + 0.5) / (len(known) + 1),
        grades=tuple(params.grades.items()),
        rest=params.rest,
        routing=Routing(
            rules=tuple(Rule(**rule.model_dump()) for rule in params.routes),
            leave=params.leave,
            large_deal=values.overall if params.large_deal is None else params.large_deal,
            product_events=tuple(params.product_events),
        ),
        values=values,
        threshold=threshold,
        call_cost=None if benefit is None else benefit.call_cost,
    )


def _scale(
    params: PolicyParams, seen: pl.DataFrame, unseen: pl.DataFrame, threshold: float | None, standing: Standing
) -> tuple[float, ...]:
    if params.scale == "percentile":
        return scale(seen["probability"].to_numpy().astype(np.float64))
    if threshold is None:
        raise Stop("policy.scale: continuity needs a threshold; give policy.threshold, or a points table that lets in")
    p = unseen["probability"].to_numpy().astype(np.float64)
    return continuity(p, threshold, mark_of(params, standing.mark))


def assemble(out: Path, facts: Mapping[str, Any], policy: Policy, definition: Definition, source: Source) -> str:
    """Write the bundle whole or not at all; it has proved itself when this returns its digest."""
    plan = stage.read_json(stage.PLAN)
    with whole_folder(out) as folder:
        optional = bundles.optional_files([path.name for path in stage.MODEL.iterdir()])
        for name in ("model.txt", "encoding.json", "calibration.json", *optional):
            shutil.copyfile(stage.MODEL / name, folder / name)
        if accounts := stage.read_json(stage.ACCOUNT_MODEL):
            stage.write_json(accounts, folder / bundles.ACCOUNTS)
        columns = [c.name for c in plan_of_json(plan).features]
        stage.write_json({"plan": plan, "columns": columns}, folder / "features.json")
        stage.write_json(policy.to_json(), folder / "policy.json")
        stage.write_json(definition.model_dump(mode="json"), folder / "definition.json")
        reading = source.model_dump(mode="json", exclude={"kind", "path", "until", "simulated"})
        stage.write_json(reading, folder / "reading.json")
        stage.write_json({**facts, "libraries": libraries()}, folder / "training.json")
        (folder / "MODEL_CARD.md").write_text(card(facts, policy, definition, plan), encoding="utf-8")
        stage.write_json([], folder / "golden.json")
        bundles.write_manifest(folder)
        draft = bundles.read_bundle(folder)
        requests = golden_requests(draft.plan, draft.encoding, 0, GOLDEN)
        stage.write_json([{"request": r, "answer": answer(draft, r)} for r in requests], folder / "golden.json")
        digest = bundles.write_manifest(folder)
        bundles.prove(bundles.read_files(folder))
    out.with_name(out.name + ".version").unlink(missing_ok=True)
    return digest


def libraries() -> dict[str, str]:
    """Versions of what made the model."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}
