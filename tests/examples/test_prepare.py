"""What the examples make of their data, on rows invented in the same shape."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from examples.cdnow.prepare import LOG
from examples.cdnow.prepare import prepare as prepare_cdnow
from examples.known_odds.make import make as make_odds
from examples.olist_funnel.prepare import DEALS, LEADS
from examples.olist_funnel.prepare import prepare as prepare_olist
from examples.repeat_buyers import make as buyers
from pipeline.params import load_params

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*/params.yaml")), ids=lambda path: path.parent.name)
def test_params_of_every_example_are_right(path: Path) -> None:
    """Each is read without complaint and finds its tables under data/source."""
    assert load_params(path).source.path.parts[:2] == ("data", "source")


def test_a_day_of_cdnow_is_one_purchase(tmp_path: Path) -> None:
    """Rows of one customer and day are added up, ids keep their zeros, and a lead begins with its first purchase."""
    (tmp_path / LOG).write_text(
        " customer_id  date number_of_cds  dollar_value\n"
        " 00007 19970203  1   10.50\n 00007 19970112  2   20.25\n"
        " 00007 19970203  1   10.50\n 00008 19970301 12  199.00\n"
    )
    prepare_cdnow(tmp_path, tmp_path / "out")
    read = {name: (tmp_path / "out" / f"{name}.csv").read_text().splitlines() for name in ("leads", "events")}
    assert read["leads"] == ["lead_id,created_at", "00007,1997-01-12", "00008,1997-03-01"]
    assert read["events"] == [
        "lead_id,occurred_at,value,type",
        "00007,1997-01-12,20.25,purchase",
        "00007,1997-02-03,21.0,purchase",
        "00008,1997-03-01,199.0,purchase",
    ]


def test_olist_keeps_nothing_that_only_winners_have(tmp_path: Path) -> None:
    """Of a closed deal nothing is taken but when it was won; days come before months."""
    (tmp_path / LEADS).write_text(
        "mql_id,first_contact_date,landing_page_id,origin\na1,03-02-2018,p9,email\nb2,28-02-2018,p8,\n"
    )
    (tmp_path / DEALS).write_text("mql_id,seller_id,won_date,business_segment\na1,s1,05-03-2018 14:05,toys\n")
    prepare_olist(tmp_path, tmp_path / "out")
    leads, stages = (pl.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("leads", "stages"))
    assert leads.rows() == [("a1", "2018-02-03", "email", "p9"), ("b2", "2018-02-28", None, "p8")]
    assert stages.rows() == [("a1", "won", "2018-03-05T14:05:00.000000")]


def test_known_odds_come_as_promised(tmp_path: Path) -> None:
    """As many convert as the probabilities add up to, within four standard errors; the table does not hold them."""
    make_odds(tmp_path, 4_000)
    leads, truth = pl.read_csv(tmp_path / "leads.csv"), pl.read_parquet(tmp_path / "truth/truth.parquet")
    p = truth["probability"].to_numpy()
    assert leads["lead_id"].to_list() == truth["lead_id"].to_list()
    assert abs(leads["converted"].sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    assert "probability" not in leads.columns


def test_buyers_buy_as_promised(tmp_path: Path) -> None:
    """At each age and for each number of purchases so far, as many buy again as the formula says, within four
    standard errors: the formula and the made-up lives were written apart."""
    buyers.make(tmp_path, 4_000)
    leads = pl.read_csv(tmp_path / "leads.csv", try_parse_dates=True)
    events = pl.read_csv(tmp_path / "events.csv", try_parse_dates=True).select("lead_id", "occurred_at")
    truth = pl.read_parquet(tmp_path / "truth/truth.parquet").join(leads, on="lead_id")
    assert len(truth) == 4_000 * len(buyers.AGES_D)
    ahead = pl.col("occurred_at").cast(pl.Datetime("us", "UTC")) - pl.col("as_of")
    counted = (
        truth.filter(pl.col("as_of") + pl.duration(days=90) < pl.datetime(2024, 12, 31, time_zone="UTC"))
        .join(events, on="lead_id", how="left")
        .group_by("lead_id", "as_of", "created_at", "probability")
        .agg(
            before=(ahead <= pl.duration()).sum().clip(upper_bound=3),
            again=((ahead > pl.duration()) & (ahead <= pl.duration(days=90))).any().fill_null(False),
        )
    )
    p = pl.col("probability")
    groups = counted.group_by((pl.col("as_of") - pl.col("created_at")).dt.total_days(), "before").agg(
        z=(pl.col("again").sum() - p.sum()) / (p * (1 - p)).sum().sqrt(), n=pl.len()
    )
    assert len(groups) >= 12
    assert groups["z"].abs().max() < 4  # type: ignore[operator]
