"""Stage define: what marketing and sales agree a lead is, held against results, as a page to sign."""

from typing import Any

import numpy as np

from models.funnel.editions import edition
from models.points.criteria import criteria_of
from pipeline import stage
from pipeline.agreement.definition_page import render
from pipeline.agreement.figures import agreement, define
from pipeline.agreement.meeting import fitting
from pipeline.files import whole_file
from pipeline.params import Definition


def main() -> None:
    """Write the figures and the page; the edition goes by what the last run left."""
    given, definition = stage.read_json(stage.AGREED), stage.section(Definition)
    written = criteria_of(dict(given["criteria"]))
    criteria = fitting(written)
    with stage.speaking("define") as say:
        say("holding the criteria against results")
        for one in criteria:
            if one.doubt:
                say(f"definition.criteria.{one.name} cannot be checked: {one.doubt}")
        previous = stage.read_json(stage.DEFINITION)["edition"] if stage.DEFINITION.is_file() else None
        figures = define(criteria, definition)
        figures["edition"] = edition(agreement(written, definition), previous)
    stage.write_json(_plain(figures), stage.DEFINITION)
    with whole_file(stage.DEFINITION_PAGE) as temporary:
        temporary.write_text(render(stage.read_json(stage.DEFINITION), given["language"]), encoding="utf-8")


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
