"""Customers who buy at paces of their own until they leave unseen: the exact probability is known.

Fader, Hardie and Lee 2005, "Counting your customers the easy way": purchases are Poisson with a rate that differs
from customer to customer as Gamma(R, ALPHA_D); after each one the customer leaves for good with a probability that
differs as Beta(A, B). The figures are those of the paper for cdnow.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features.arrays import Floats, Ints

CUSTOMERS, SEED = 12_000, 1
R, ALPHA_D, A, B = 0.243, 4.414 * 7, 0.793, 2.426
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
SPAN_D = 1_095
"""Customers come evenly over three years, up to source.until of params.yaml."""
AGES_D = (30, 90, 180, 365)
WITHIN_D = 90.0


def make(out: Path, customers: int = CUSTOMERS) -> None:
    """Write leads.csv, events.csv (purchases) and truth/truth.parquet (`lead_id, as_of, probability`)."""
    rng = np.random.default_rng(SEED)
    came = np.sort(rng.uniform(0, SPAN_D, customers))
    lives = [_purchases(rng, SPAN_D - begun) for begun in came]
    names = [f"C{i:05}" for i in range(customers)]
    leads = pl.DataFrame({"lead_id": names, "created_at": _instants(came)})
    bought = pl.DataFrame(
        {
            "lead_id": np.repeat(names, [len(life) for life in lives]),
            "occurred_at": _instants(np.concatenate([begun + life for begun, life in zip(came, lives, strict=True)])),
        }
    )
    (out / "truth").mkdir(parents=True, exist_ok=True)
    leads.write_csv(out / "leads.csv")
    bought.with_columns(type=pl.lit("purchase")).write_csv(out / "events.csv")
    pl.concat(_truth(leads, lives, age) for age in AGES_D).write_parquet(out / "truth/truth.parquet")


def _instants(days: Floats) -> list[datetime]:
    return [BEGIN + timedelta(seconds=round(day * 86_400)) for day in days]


def _purchases(rng: np.random.Generator, span_d: float) -> Floats:
    """Days since coming of a customer's purchases, rising, none after `span_d`."""
    rate, leaves = rng.gamma(R, 1 / ALPHA_D), rng.beta(A, B)
    at: list[float] = []
    day = rng.exponential(1 / rate) if rate > 0 else np.inf
    while day < span_d:
        at.append(day)
        if rng.random() < leaves:
            break
        day += rng.exponential(1 / rate)
    return np.array(at)


def _truth(leads: pl.DataFrame, lives: list[Floats], age_d: float) -> pl.DataFrame:
    count = np.array([np.searchsorted(life, age_d, side="right") for life in lives])
    last = np.array([life[n - 1] if n else 0.0 for life, n in zip(lives, count, strict=True)])
    as_of = (pl.col("created_at") + timedelta(days=age_d)).cast(pl.Datetime("us", "UTC")).alias("as_of")
    return leads.select("lead_id", as_of, pl.Series("probability", buys_again(count, last, age_d)))


def buys_again(count: Ints, last_d: Floats, age_d: float, within_d: float = WITHIN_D) -> Floats:
    """Probability of a purchase within so many days, by how many there were and the age at the last; shape (n,).

    Still a customer (paper, equation for P(alive)), times at least one purchase at a rate that is
    Gamma(R + count, ALPHA_D + age_d) of those who are.
    """
    gone = A / (B + count - 1) * ((ALPHA_D + age_d) / (ALPHA_D + last_d)) ** (R + count)
    there = 1 / (1 + np.where(count > 0, gone, 0))
    return there * (1 - ((ALPHA_D + age_d) / (ALPHA_D + age_d + within_d)) ** (R + count))
