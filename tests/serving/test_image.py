"""The image, as far as it can be checked without an engine; `make proof-image` builds it."""

import ast
import json
import os
import re
import shutil
import sys
import venv
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import yaml
from servers import started

ROOT = Path(__file__).parents[2]
NAMES = {"pydantic_settings": "pydantic-settings", "prometheus_client": "prometheus-client"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


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


def copied(home: Path) -> list[str]:
    """Copy into `home` what the last stage of the Dockerfile copies from the project, by the rules of .dockerignore;
    the words that start the service."""
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    for line in re.findall(r"^COPY (?!--from)(.+)$", last, re.MULTILINE):
        *sources, target = line.split()
        for name in sources:
            place = home / target / (Path(name).name if target.endswith("/") else "")
            for path in filter(sent, [ROOT / name, *(ROOT / name).rglob("*")]):
                (to := place / path.relative_to(ROOT / name)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
    return list(json.loads(re.search(r"^ENTRYPOINT (.+)$", last, re.MULTILINE)[1]))  # type: ignore[index]


def sent(path: Path) -> bool:
    """Whether an engine is sent a file: .dockerignore leaves out all but the files and folders that it names."""
    first, *kept, last = (ROOT / ".dockerignore").read_text().splitlines()
    assert (first, last) == ("*", "**/__pycache__")
    # Docker's classic builder looks into no folder that only a pattern names: packages in packages stayed behind
    assert all(line.startswith("!") and "*" not in line for line in kept)
    names = {ROOT / line.removeprefix("!") for line in kept}
    return path.is_file() and "__pycache__" not in path.parts and not names.isdisjoint([path, *path.parents])


def environment(folder: Path) -> Path:
    """An environment of the packages of serve.lock alone; its Python."""
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    for name in locked("serve.lock"):
        with suppress(PackageNotFoundError):  # of another system
            files = distribution(name).files or []
            for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
                (site / top).symlink_to(distribution(name).locate_file(top))
    return folder / "bin" / "python"


def test_the_image_serves(bundle_folder: Path, tmp_path: Path) -> None:
    """What the Dockerfile copies answers by its entry point, with the packages of its lock and nothing else."""
    python, home = environment(tmp_path / "venv"), tmp_path / "srv"
    first, *words = copied(home)
    assert first == "python"
    env = {"PATH": os.environ["PATH"], "LEADSCORE_BUNDLE": str(bundle_folder), "LEADSCORE_PORT": "0"}
    with started([str(python), *words], home, env) as running:
        lead = json.loads((ROOT / "examples/serving/lead.json").read_text())
        answer = running.ready().post("/v1/score", lead)
    assert answer.status_code == 200
    assert answer.json()["status"] == "scored"


def test_the_image_has_no_right_too_many() -> None:
    """It runs neither as root nor in a shell, which would keep SIGTERM from the service."""
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
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
