"""One flat table of leads whose log odds are a sum over its columns: the exact probability is known."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from features.arrays import Array, Floats

LEADS, SEED = 10_000, 1
ORIGINS = {"referral": 1.0, "organic": 0.3, "paid": -0.4, "fair": 0.0, "list": -1.2}
INDUSTRIES = {"software": 0.7, "health": 0.2, "retail": -0.3, "transport": 0.0, "public": -0.8, "unknown": -0.2}
COUNTRIES = dict(zip((f"country_{i:02}" for i in range(20)), np.linspace(-0.6, 0.6, 20), strict=True))
MEAN = -2.0


def make(out: Path, leads: int = LEADS) -> None:
    """Write leads.csv (flat: attributes and `converted`) and truth/truth.parquet (`lead_id, as_of, probability`)."""
    rng = np.random.default_rng(SEED)
    columns: dict[str, Array] = {
        "origin": rng.choice([*ORIGINS], leads),
        "industry": rng.choice([*INDUSTRIES], leads),
        "country": rng.choice([*COUNTRIES], leads),
        "employees": np.rint(np.exp(rng.normal(4, 1.5, leads))).astype(np.int64),
        "pages_read": rng.poisson(4, leads),
        "days_waited": rng.gamma(2, 5, leads).round(1),
        "lucky_number": rng.integers(1, 50, leads),
    }
    p = 1 / (1 + np.exp(-log_odds(columns)))
    table = pl.DataFrame({"lead_id": [f"K{i:05}" for i in range(leads)], **columns})
    (out / "truth").mkdir(parents=True, exist_ok=True)
    converted = pl.Series("converted", (rng.random(leads) < p).astype(int))
    table.with_columns(converted).write_csv(out / "leads.csv")
    never = pl.lit(None, pl.Datetime("us", "UTC")).alias("as_of")
    table.select("lead_id", never, pl.Series("probability", p)).write_parquet(out / "truth/truth.parquet")


def log_odds(columns: Mapping[str, Array]) -> Floats:
    """Shape (leads,): a sum over the columns. The lucky number is nothing but noise."""
    found = MEAN + 0.35 * (np.log1p(columns["employees"]) - 4)
    found += 0.15 * (columns["pages_read"] - 4) - 0.05 * (columns["days_waited"] - 10)
    for column, effect in (("origin", ORIGINS), ("industry", INDUSTRIES), ("country", COUNTRIES)):
        found += np.array([effect[name] for name in columns[column]])
    return np.asarray(found, dtype=np.float64)
