"""Imports go one way, and nothing that the house forbids is in it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("features", "models", "pipeline", "serving")
MAY = {
    "features": {"features"},
    "models": {"features", "models"},
    "pipeline": {"features", "models", "pipeline"},
    "serving": {"features", "models", "serving"},
}
"""Which of our packages each may import."""
DOOR = "pipeline/cli/__init__.py"
"""The command line is the door to the service as well: there alone pipeline names serving."""
HEAVY = {"polars", "pandas", "pandera", "mlflow", "sklearn", "matplotlib", "dvc"}
FORBIDDEN = {"pickle", "cPickle", "joblib", "cloudpickle", "dill", "skops", "shelve", "marshal"}
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(tree: ast.AST, module_level: bool) -> Iterator[str]:
    """Top names of the modules that a tree imports; at module level alone, or anywhere."""
    nodes = ast.iter_child_nodes(tree) if module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield (node.module or "").partition(".")[0]
        elif module_level and isinstance(node, ast.If | ast.Try):
            yield from imported(node, True)


def parsed(path: Path) -> ast.Module:
    """The tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """A file's place in the house."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    """pipeline and serving → models → features, inside functions too."""
    room = path.relative_to(ROOT).parts[0]
    ours = {name for name in imported(parsed(path), False) if name in (*ROOMS, "benchmarks", "tests")}
    assert ours <= MAY[room] | ({"serving"} if name_of(path) == DOOR else set())


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(ROOT / "features")], ids=name_of)
def test_features_are_pure_numpy(path: Path) -> None:
    """Nothing but NumPy and the standard library; no clock, no file, no chance."""
    tree = parsed(path)
    names = set(imported(tree, False))
    assert names <= {"numpy", "features", *sys.stdlib_module_names}
    assert not names & {"os", "io", "pathlib", "time", "datetime", "random", "subprocess", "socket"}
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & {"open", "print", "input", "eval", "exec"}


@pytest.mark.parametrize("path", [p for p in FILES if p.parts[-2] in ("models", "serving")], ids=name_of)
def test_what_serves_imports_nothing_heavy(path: Path) -> None:
    """models and serving import no table, tracking or plotting library; scikit-learn only in a function of models."""
    assert not set(imported(parsed(path), True)) & HEAVY
    inside = set(imported(parsed(path), False)) & HEAVY
    assert inside <= ({"sklearn"} if path.parts[-2] == "models" else set())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_pickled(path: Path) -> None:
    """No pickle by any name, nor a model file of joblib's."""
    text = path.read_text(encoding="utf-8")
    assert not set(imported(ast.parse(text), False)) & FORBIDDEN
    assert not re.search(r"\b(?:read_pickle|to_pickle|allow_pickle=True|torch\.load)\b", text)


PRINTING = {"models/proof.py"}
"""Prints why a bundle does not prove itself: digests and golden answers of imagined leads."""


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_prints_or_swallows(path: Path) -> None:
    """No bare print outside the command line's own words, and no `except Exception` that hides what happened."""
    tree = parsed(path)
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert "print" not in called or name_of(path) in PRINTING
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "a bare except"
