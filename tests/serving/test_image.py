"""The image, as far as it can be checked without an engine."""

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
NAMES = {"pydantic_settings": "pydantic-settings", "prometheus_client": "prometheus-client"}
COPIED = ("features/*", "models/*", "serving/*", "pipeline/__init__.py", "pipeline/__main__.py", "pipeline/cli.py",
          "pipeline/errors.py")  # fmt: skip


def locked(name: str) -> set[str]:
    """Packages of a lock file."""
    text = (ROOT / "requirements" / name).read_text()
    return set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))


def imported(path: Path) -> Iterator[str]:
    """Foreign packages that a file names anywhere."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in (n.partition(".")[0] for n in names):
            if name not in sys.stdlib_module_names and not (ROOT / name).is_dir():
                yield NAMES.get(name, name)


def test_the_serve_lock_has_what_the_service_imports() -> None:
    """And none of what it must not; the versions are those of the tests."""
    named = {name for room in ("features", "models", "serving") for path in (ROOT / room).rglob("*.py")
             for name in imported(path)} - {"sklearn"}  # fmt: skip
    have = locked("serve.lock")
    assert named <= have
    assert not have & {"pandas", "polars", "pandera", "scikit-learn", "mlflow", "dvc"}
    pins = [set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
            for name in ("serve.lock", "dev.lock")]  # fmt: skip
    assert pins[0] <= pins[1]


def test_the_image_copies_what_the_command_needs() -> None:
    """Every file that `leadscore serve` loads of ours, and neither runs as root nor in a shell."""
    text = (ROOT / "Dockerfile").read_text()
    for pattern in COPIED:
        assert pattern.removesuffix("/*") in text
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in (p for room in ("features", "models", "serving", "pipeline") for p in (ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if any(fnmatch(name, pattern) for pattern in COPIED):
            assert any(fnmatch(name, pattern.replace("**/", "*")) for pattern in allowed), name
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["python", "-m", "pipeline", "serve"]' in last
    assert "http://127.0.0.1" in last


def test_compose_publishes_to_loopback_alone() -> None:
    """Both services; the scoring one without a right too many."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == {"leadscore", "mlflow"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    scoring = services["leadscore"]
    assert scoring["read_only"] is True
    assert scoring["cap_drop"] == ["ALL"]
    assert all(volume.endswith(":ro") for volume in scoring["volumes"])
