"""Routes of an earlier file of scores."""

from pathlib import Path

import polars as pl

from pipeline.errors import Stop
from pipeline.scoring.score import Routes

NEEDED = ("lead_id", "route")


def read_routes(path: Path) -> Routes:
    """The route of each lead of a file that `leadscore score` wrote. Raises Stop where it is none."""
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except FileNotFoundError as error:
        raise Stop(f"--previous {path}: there is no such file; give an earlier file of scores") from error
    except pl.exceptions.PolarsError as error:
        raise Stop(f"--previous {path}: cannot be read ({error}); give a .csv or .parquet of scores") from error
    lost = [name for name in NEEDED if name not in frame.columns]
    if lost:
        raise Stop(f"--previous {path}: has no column {' and '.join(lost)}; give an earlier file of scores")
    return dict(frame.select(pl.col(name).cast(pl.String) for name in NEEDED).iter_rows())
