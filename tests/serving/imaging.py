"""`make proof-image`: the image is built, serves the last run's bundle as compose.yaml has it, reloads it and stops.

Needs a Docker engine and `make run`; prints what was seen, and ends with 1 where something else was expected.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2 as httpx

from models.bundle.folder import read_bundle
from serving.answers import Model, answer, wanted
from serving.cautions import Cautions
from serving.security import create_key
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
TAG = "leadscore-proof"
PATIENCE_S = 60


def docker(*words: str) -> str:
    """What a command of the engine prints. Raises CalledProcessError."""
    return subprocess.run(["docker", *words], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def seconds_until(seen: Callable[[], object], what: str) -> float:
    """How long it took. Ends the proof where it takes too long."""
    begun = time.monotonic()
    while not seen():
        if time.monotonic() - begun > PATIENCE_S:
            raise SystemExit(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun


@contextmanager
def running(secrets: Path) -> Iterator[str]:
    """A container with the rights that compose.yaml gives it, and no more."""
    name = docker(
        "run", "--detach", "--user", str(os.getuid()), "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",  # noqa: S108
        "--security-opt", "no-new-privileges:true", "--memory", "1g", "--publish", "127.0.0.1::8000",
        "--volume", f"{ROOT / 'artifacts'}:/srv/artifacts:ro", "--volume", f"{secrets}:/srv/secrets:ro", TAG,
    )  # fmt: skip
    try:
        yield name
    except BaseException:
        subprocess.run(["docker", "logs", name], check=False)
        raise
    finally:
        docker("rm", "--force", name)


def main() -> int:
    """Try all of it."""
    if shutil.which("docker") is None or not (ROOT / "artifacts/bundle").is_dir():
        print("proof-image: expected a Docker engine, and a bundle: run `make run` first", file=sys.stderr)
        return 1
    docker("build", "--tag", TAG, ".")
    with TemporaryDirectory() as secrets:
        key = create_key(Path(secrets, "keys.json"), "proof", "score", datetime.now(UTC))
        with running(Path(secrets)) as name:
            _try(name, key)
    return 0


def _try(name: str, key: str) -> None:
    url = f"http://{docker('port', name, '8000/tcp')}"
    print(f"ready after {seconds_until(lambda: _ready(url), 'ready'):.1f} s")
    lead = json.loads((ROOT / "examples/serving/lead.json").read_text())
    assert httpx.post(f"{url}/v1/score", json=lead).status_code == 401, "expected 401 without a key"
    said = httpx.post(f"{url}/v1/score", json=lead, headers={"Authorization": f"Bearer {key}"}).json()
    expected = _expected(lead)
    assert said["probability"] == expected, f"expected the probability {expected}, got {said}"
    print(f"probability {said['probability']}, as outside of it; model {said['model_version']}")
    print(f"memory {docker('stats', '--no-stream', '--format', '{{.MemUsage}}', name)}")
    docker("kill", "--signal", "HUP", name)
    seconds_until(lambda: _loaded(name) == 2, "the bundle once more after HUP")
    state = ["inspect", "--format", "{{.State.Health.Status}}", name]
    print(f"reloaded; healthy after {seconds_until(lambda: docker(*state) == 'healthy', 'healthy'):.0f} s more")
    docker("stop", name)
    ended = docker("inspect", "--format", "{{.State.ExitCode}}", name)
    assert ended == "0", f"expected to end with 0 when stopped, got {ended}"
    print("stopped with 0")


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _expected(lead: dict[str, object]) -> float:
    """What this process makes of the same lead and bundle."""
    bundle = read_bundle(ROOT / "artifacts/bundle")
    [one] = answer(Model(bundle, Cautions(bundle)), [wanted(lead, Settings())], datetime.now(UTC))
    assert isinstance(one, dict), one
    return float(one["probability"])


def _loaded(name: str) -> int:
    """How often it has read a bundle."""
    said = subprocess.run(["docker", "logs", name], check=True, text=True, capture_output=True).stderr
    return said.count('"event":"model"')


if __name__ == "__main__":
    sys.exit(main())
