"""Stage funnel: how leads go from stage to stage, how fast, what is lost on the way, and who was reached."""

from typing import Any

from features.arrays import Bools
from pipeline import stage
from pipeline.journey.figures import funnel
from pipeline.journey.targets import targets
from pipeline.params import Definition

DRAWS, SEED = 200, 7
"""Of the intervals; no setting of training, or each trial of one would follow every lead again."""


def _criteria() -> dict[str, Bools]:
    until = stage.read_until()
    return {} if until is None else targets(dict(stage.read_json(stage.AGREED)["criteria"]), until)


def main() -> None:
    """Write reports/funnel.json; where the leads have no stages in time, why there is nothing to tell."""
    until, shape = stage.read_until(), stage.read_meta()["shape"]
    with stage.speaking("funnel") as say:
        if until is None or shape != "dated":
            found: dict[str, Any] = {"reason": "these data do not say when leads entered their stages"}
        else:
            say("following leads from stage to stage")
            tables, definition = stage.read_tables(), stage.section(Definition)
            found = funnel(tables, stage.read_attributes(), definition, until, _criteria(), SEED, DRAWS)
    stage.write_json(found, stage.FUNNEL)
