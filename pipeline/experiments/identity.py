"""What makes a run the same run, and a test fold the same test fold."""

import hashlib

import polars as pl

from models.bundle.folder import MANIFEST
from pipeline import stage
from pipeline.params import SECTIONS


def run_digest() -> str:
    """SHA-256 of the parameters, the bundle and the metrics: whoever ran it, and whether it ran or came from a cache.

    Where it is tracked does not matter to what it is.
    """
    settings = [stage.SETTINGS / f"{name}.json" for name in SECTIONS if name != "tracking"]
    whole = hashlib.sha256()
    for path in (*settings, stage.BUNDLE / MANIFEST, stage.METRICS):
        stage.read_json(path)  # says what to do where there is none
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def digest_of_test(examples: pl.DataFrame) -> str:
    """SHA-256 of the lead, instant and label of every test example, in any order."""
    test = examples.filter(pl.col("fold") == "test").select("lead_id", pl.col("as_of").to_physical(), "label")
    return hashlib.sha256(test.sort("lead_id", "as_of").write_csv().encode()).hexdigest()
