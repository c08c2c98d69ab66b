"""The model as stage train left it."""

from dataclasses import dataclass

from features.arrays import Floats
from features.kernel import Matrix
from models import calibration
from models.bundle import read_links
from models.calibration import Calibration
from models.encoding import Encoding, encode
from models.horizons import Link
from models.trees import Trees
from pipeline import stage


@dataclass(frozen=True)
class Fitted:
    """The model as the train stage left it."""

    text: str
    encoding: Encoding
    calibration: Calibration
    links: tuple[Link, ...] = ()
    """Of the shorter horizons."""


def read_model() -> Fitted:
    """From artifacts/model: text, so that what is tested is what is served."""
    return Fitted(
        (stage.MODEL / "model.txt").read_text(encoding="utf-8"),
        Encoding.of_json(stage.read_json(stage.MODEL / "encoding.json")),
        Calibration.from_json(stage.read_json(stage.MODEL / "calibration.json")),
        read_links(stage.MODEL, [path.name for path in stage.MODEL.iterdir()]),
    )


def log_odds(fitted: Fitted, matrix: Matrix, threads: int) -> Floats:
    """Calibrated log odds, shape (k,)."""
    raw = Trees(fitted.text).scores(encode(fitted.encoding, matrix), threads)
    return calibration.log_odds(fitted.calibration, raw)
