"""How a run's parameters differ from the defaults, and from params.yaml as committed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.flat import flat
from pipeline import stage
from pipeline.errors import Stop
from pipeline.experiments.commits import git
from pipeline.params import SECTIONS, Params, parse_params

NEVER = ("source.path", "tracking.", "train.threads", "definition.criteria", "definition.language")
"""They change nothing of the model, or lie on one machine."""
MOST = 3
"""This many differences fit into a name."""


def _telling(nested: Mapping[str, Any]) -> dict[str, Any]:
    """By dotted names, without what changes no result."""
    return {name: value for name, value in flat(nested).items() if not name.startswith(NEVER)}


def of_params(params: Params) -> dict[str, Any]:
    """Every parameter by its dotted name."""
    return _telling(params.model_dump(mode="json", by_alias=True))


def of_run() -> dict[str, Any]:
    """Those that the run in this folder had, defaults filled in."""
    return _telling({name: stage.read_json(stage.SETTINGS / f"{name}.json") for name in SECTIONS})


def defaults(kind: str) -> dict[str, Any]:
    """Those of a params.yaml that says nothing but its kind of source."""
    return of_params(Params.model_validate({"source": {"kind": kind}}))


def committed(root: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """Those of params.yaml in the commit that the run started from; None where git or the file has none.

    DVC names the commit of an experiment (`DVC_EXP_BASELINE_REV`), which may have moved HEAD in its copy.
    """
    commit = environment.get("DVC_EXP_BASELINE_REV") or "HEAD"
    shown = git(root, "show", f"{commit}:./params.yaml")
    try:
        return None if shown is None else of_params(parse_params(shown, f"params.yaml of {commit}"))
    except Stop:
        return None


def differing(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Before and now, by name, of what is not the same; None where there was or is none."""
    names = [*now, *(name for name in before if name not in now)]
    return {n: (before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)}


def in_short(different: Mapping[str, tuple[Any, Any]]) -> str:
    """`num_leaves 7, bags 2`: for a name. Empty where nothing differs."""
    shown = [f"{name.rpartition('.')[2]} {now}" for name, (_, now) in list(different.items())[:MOST]]
    more = len(different) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def in_full(different: Mapping[str, tuple[Any, Any]]) -> str:
    """`train.num_leaves 16 → 7, …`, as Markdown; "nothing" where nothing differs."""
    return ", ".join(f"`{name}` {before} → **{now}**" for name, (before, now) in different.items()) or "nothing"
