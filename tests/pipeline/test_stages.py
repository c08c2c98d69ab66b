"""The stages of the code are those of dvc.yaml, which names all that they read and write."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.stages import STAGES

ROOT = Path(__file__).parents[2]
DVC: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def names(entries: list[Any]) -> list[str]:
    """Paths of a list whose entries may carry options."""
    return [path for entry in entries for path in (entry if isinstance(entry, dict) else [entry])]


def written(name: str) -> list[str]:
    """What a stage leaves."""
    return names([*DVC[name].get("outs", []), *DVC[name].get("metrics", [])])


def test_dvc_runs_our_stages_in_our_order() -> None:
    """Each by the one script, which takes the project's own Python."""
    assert list(DVC) == list(STAGES)
    assert [one["cmd"] for one in DVC.values()] == [f"sh pipeline/stage.sh {name}" for name in STAGES]


@pytest.mark.parametrize("name", STAGES)
def test_what_a_stage_reads_is_in_the_tree_or_made_before_it(name: str) -> None:
    """No dependency is misspelled, and none is made by a later stage."""
    order = list(STAGES)
    made = [path for earlier in order[: order.index(name)] for path in written(earlier)]
    for path in DVC[name].get("deps", []):
        assert (ROOT / path).exists() or any(path == out or path.startswith(f"{out}/") for out in made), path


@pytest.mark.parametrize("name", STAGES)
def test_results_stay_until_they_are_replaced(name: str) -> None:
    """DVC removes no earlier result before a stage, which writes whole or not at all."""
    entries = [*DVC[name].get("outs", []), *DVC[name].get("metrics", [])]
    assert entries
    assert all(options["persist"] for entry in entries for options in entry.values())


SHARED = {"pipeline", "errors", "files", "params", "stage", "stages", "yamls"}
"""What every stage stands on. A change of these alone reruns nothing: `dvc repro --force` does."""


def imported(module: str) -> set[str]:
    """The modules of pipeline that a module imports anywhere, itself and theirs included, without the shared ones."""
    found, todo = set[str](), [module]
    while todo:
        name = todo.pop()
        if name in found or name in SHARED:
            continue
        found.add(name)
        for file in _files(name):
            todo += _imports(file)
    return found


def _files(name: str) -> list[Path]:
    path = ROOT / "pipeline" / name
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _imports(file: Path) -> list[str]:
    """First parts below `pipeline` of what a file imports."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline":
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline."):
            found.append(str(node.module).split(".")[1])
    return found


@pytest.mark.parametrize("name", STAGES)
def test_a_change_of_its_code_reruns_a_stage(name: str) -> None:
    """Every module of pipeline that a stage imports is among its dependencies, but for those that always run."""
    if name in ("configure", "track"):
        assert DVC[name]["always_changed"]
        return
    deps = {Path(path).stem for path in DVC[name]["deps"] if path.startswith("pipeline/")}
    assert imported(name) - deps == set()


def test_no_two_stages_write_the_same() -> None:
    """Each result has one maker."""
    every = [path for name in STAGES for path in written(name)]
    assert len(every) == len(set(every))


def test_the_finished_run_holds_what_dvc_expects(finished_run: Path) -> None:
    """Every result that dvc.yaml names is there after its stage; what people read comes with publish and later."""
    later = (
        *("reports/report.html", "artifacts/report.html", "reports/policy.json", "reports/plots"),
        *("reports/definition.json", "reports/lead-definition.html", "reports/summary.json"),
    )
    for name in STAGES:
        for path in written(name):
            assert (finished_run / path).exists() or path in later, path
