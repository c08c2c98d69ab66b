"""Imports go one way, and nothing that the house forbids is in it."""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
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


def within(path: Path) -> Iterator[str]:
    """The packages and modules of its own room that a file imports, by their first name."""
    room = path.relative_to(ROOT).parts[0]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == room:
            rest = str(node.module).partition(".")[2]
            yield from [rest.partition(".")[0]] if rest else [alias.name for alias in node.names]


@pytest.mark.parametrize("room", ROOMS)
def test_no_packages_of_a_room_need_each_other(room: str) -> None:
    """Each package, and each module beside them, can be read without what is built on it."""
    needs: dict[str, set[str]] = {}
    for path in (p for p in FILES if p.relative_to(ROOT).parts[0] == room):
        first = path.relative_to(ROOT / room).parts[0].removesuffix(".py")
        if first != "__init__":
            needs.setdefault(first, set()).update(set(within(path)) - {first})
    TopologicalSorter(needs).prepare()  # raises CycleError


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(ROOT / "features")], ids=name_of)
def test_features_are_pure_numpy(path: Path) -> None:
    """Nothing but NumPy and the standard library; no clock, no file, no chance."""
    tree = parsed(path)
    names = set(imported(tree, False))
    assert names <= {"numpy", "features", *sys.stdlib_module_names}
    assert not names & {"os", "io", "pathlib", "time", "datetime", "random", "subprocess", "socket"}
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & {"open", "print", "input", "eval", "exec"}


SERVES = [path for path in FILES if path.relative_to(ROOT).parts[0] in ("models", "serving")]


@pytest.mark.parametrize("path", SERVES, ids=name_of)
def test_what_serves_imports_nothing_heavy(path: Path) -> None:
    """models and serving import no table, tracking or plotting library; scikit-learn only in a function of models."""
    assert not set(imported(parsed(path), True)) & HEAVY
    inside = set(imported(parsed(path), False)) & HEAVY
    assert inside <= ({"sklearn"} if path.is_relative_to(ROOT / "models") else set())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_pickled(path: Path) -> None:
    """No pickle by any name, nor a model file of joblib's."""
    text = path.read_text(encoding="utf-8")
    assert not set(imported(ast.parse(text), False)) & FORBIDDEN
    assert not re.search(r"\b(?:read_pickle|to_pickle|allow_pickle=True|torch\.load)\b", text)


PRINTING = {"models/bundle/proof.py"}
"""Prints why a bundle does not prove itself: digests and golden answers of imagined leads."""
ALL = {"Exception", "BaseException"}


def names_in(node: ast.AST | None) -> set[str]:
    """Every plain name in a part of a tree."""
    return set() if node is None else {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def hides(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes every error, and neither raises one nor looks at it."""
    if handler.type is not None and not names_in(handler.type) & ALL:
        return False
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return not raises and handler.name not in set[str | None]().union(*map(names_in, handler.body))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_prints_or_swallows(path: Path) -> None:
    """No bare print outside the command line's own words; whoever takes every error raises it or says what it was."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "sys.stdout.write", "sys.stderr.write") or name_of(path) in PRINTING
            assert not (called.endswith("suppress") and names_in(node) & ALL), "suppresses every error"
        if isinstance(node, ast.ExceptHandler):
            assert not hides(node), f"line {node.lineno} hides every error"


@pytest.mark.parametrize(
    ("handler", "hidden"),
    [
        ("except: pass", True),
        ("except Exception: x = 1", True),
        ("except (OSError, Exception) as error: x = 1", True),
        ("except Exception as error: say(error)", False),
        ("except BaseException: raise", False),
        ("except KeyError: pass", False),
    ],
)
def test_a_hidden_error_is_found(handler: str, hidden: bool) -> None:
    """The check above tells those that hide from those that do not."""
    [statement] = ast.parse(f"try: f()\n{handler}").body
    assert isinstance(statement, ast.Try)
    assert hides(statement.handlers[0]) == hidden
