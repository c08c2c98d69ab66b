"""Putting the bundle together: the model with all that turns records into answers, and its proof."""

import importlib.metadata
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.plan import plan_of_json
from models.bundle import folder as bundles
from models.bundle.golden import answer, golden_requests
from models.policy.policy import Policy
from pipeline import stage
from pipeline.bundle.card import card
from pipeline.files import whole_folder
from pipeline.params import Definition, Source

GOLDEN = 20
LIBRARIES = ("lightgbm", "numpy", "polars", "scikit-learn", "mlflow", "dvc")


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
