"""The stages of the code are those of dvc.yaml, which names all that they read and write."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from staged import alone, files

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


SHARED = {f"pipeline/{name}.py" for name in ("__init__", "errors", "files", "stage", "stages", "yamls")} | {
    str(path.relative_to(ROOT)) for path in (ROOT / "pipeline/params").glob("*.py")
}
"""What every stage stands on. A change of these alone reruns nothing: `dvc repro --force` does."""


def imported(file: str) -> set[str]:
    """The files of ours that a file imports anywhere, itself and theirs included, without the shared ones."""
    found, todo = set[str](), [file]
    while todo:
        name = todo.pop()
        if name not in found | SHARED:
            found.add(name)
            todo += _imports(ROOT / name)
    return found


def _imports(file: Path) -> list[str]:
    """Of a single file. What is imported of a package that has code is its `__init__.py` and what that imports."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        for place in (name.replace(".", "/") for name in names):
            found += [path for path in (f"{place}.py", f"{place}/__init__.py") if (ROOT / path).is_file()]
    return found


def says_only(path: str) -> bool:
    """Whether a package's own file holds nothing but its docstring: a change of it changes nothing."""
    return path.endswith("/__init__.py") and len(ast.parse((ROOT / path).read_text(encoding="utf-8")).body) == 1


def covered(path: str, deps: list[str]) -> bool:
    """Whether a path or a folder around it is among the dependencies."""
    return any(path == dep or path.startswith(f"{dep}/") for dep in deps)


def test_nothing_stands_on_a_stage() -> None:
    """What stages share lies in packages, so that a change of one stage's own file reruns that stage alone."""
    stages = {f"pipeline/{name}.py" for name in STAGES}
    assert [path for path in (ROOT / "pipeline").rglob("*.py") if stages & set(_imports(path))] == []


@pytest.mark.parametrize("name", STAGES)
def test_a_change_of_its_code_reruns_a_stage(name: str) -> None:
    """Every module of ours that a stage imports is among its dependencies, but for those that always run."""
    if name in ("configure", "track"):
        assert DVC[name]["always_changed"]
        return
    files = imported(f"pipeline/{name}.py")
    assert {path for path in files if not covered(path, DVC[name]["deps"]) and not says_only(path)} == set()


@pytest.mark.parametrize("name", STAGES)
def test_no_dependency_is_there_for_nothing(name: str) -> None:
    """No stage runs again for a module that it does not import, named by itself or by its package of pipeline/; nor for
    a package of models/ of which it imports nothing."""
    files = imported(f"pipeline/{name}.py")
    below = [path for path in DVC[name].get("deps", []) if path.startswith(("features", "models"))]
    assert [path for path in below if not any(covered(file, [path]) for file in files)] == []
    deps = [ROOT / path for path in DVC[name].get("deps", []) if path.endswith(".py") or path.startswith("pipeline/")]
    modules = [file for dep in deps for file in (dep.rglob("*.py") if dep.is_dir() else [dep])]
    assert [
        path for file in modules if (path := str(file.relative_to(ROOT))) not in files and not says_only(path)
    ] == []


def test_a_stage_runs_among_nothing_but_its_dependencies(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the finished run did (tests/staged.py). A file that dvc.yaml does not name is away meanwhile."""
    (tmp_path / "data/settings").mkdir(parents=True)
    (tmp_path / "data/settings/split.json").write_text("{}")
    (tmp_path / "data/tables").mkdir()
    (tmp_path / "data/tables/leads.parquet").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with alone(["data/tables"]):
        assert files() == [Path("data/tables/leads.parquet")]
    assert len(files()) == 2


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
