"""Other servers of the same model, each a process of its own on loopback, and what a request to each looks like."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.arrays import Floats

HOME = Path("build/bench")
"""Git-ignored: environments of peers, and what they serve."""


@dataclass(frozen=True)
class Peer:
    """A server to be timed."""

    name: str
    command: Sequence[str]
    ready: str
    """Path that answers 200 when it is up."""
    path: str
    bodies: Sequence[bytes]
    port: int
    environment: Mapping[str, str]


EMPTY = """
import fastapi, uvicorn
app = fastapi.FastAPI()
@app.get("/readyz")
async def ready(): return {}
@app.post("/v1/score")
async def score(): return {"probability": 0.5}
uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="critical", access_log=False)
"""


def empty(bodies: Sequence[bytes], port: int) -> Peer:
    """FastAPI with an endpoint that looks at nothing."""
    command = [sys.executable, "-c", EMPTY.replace("PORT", str(port))]
    return Peer("an empty FastAPI endpoint", command, "/readyz", "/v1/score", bodies, port, {})


def ours(bundle: Path, bodies: Sequence[bytes], port: int, name: str) -> Peer:
    """`leadscore serve`."""
    command = [sys.executable, "-m", "pipeline", "serve", "--bundle", str(bundle), "--port", str(port)]
    return Peer(name, command, "/readyz", "/v1/score", bodies, port, {})


def rows_json(X: Floats) -> list[list[float]]:
    """Rows that every peer accepts: MLflow answers 400 to a null."""
    return [[0.0 if x != x else x for x in row] for row in X.tolist()]


def mlflow(model: str, X: Floats, port: int) -> Peer:
    """`mlflow models serve` of the booster alone: it is given features, and neither a lead nor reasons."""
    import lightgbm
    from mlflow.lightgbm import save_model

    folder = HOME / "mlflow-model"
    if not folder.exists():
        save_model(lightgbm.Booster(model_str=model), str(folder), pip_requirements=["lightgbm"])
    names = [f"f{j}" for j in range(X.shape[1])]
    bodies = [json.dumps({"dataframe_split": {"columns": names, "data": [row]}}).encode() for row in rows_json(X)]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(folder), "--env-manager", "local",
               "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]  # fmt: skip
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it starts uvicorn by its name
    return Peer("mlflow models serve", command, "/ping", "/invocations", bodies, port, {"PATH": path})


def mlserver(model: str, X: Floats, port: int) -> Peer:
    """MLServer with its LightGBM runtime, in an environment of its own."""
    home = (HOME / "mlserver").absolute()
    python = home / "venv/bin/python"
    if not python.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", str(home / "venv")], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), "mlserver", "mlserver-lightgbm"],
                       check=True)  # fmt: skip
    folder = home / "models" / "lead"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bst").write_text(model)
    (folder / "model-settings.json").write_text(json.dumps({
        "name": "lead", "implementation": "mlserver_lightgbm.LightGBMModel",
        "parameters": {"uri": "./model.bst", "version": "v1"}}))  # fmt: skip
    (home / "models" / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": 0,
        "debug": False}))  # fmt: skip
    n = X.shape[1]
    bodies = [json.dumps({"inputs": [{"name": "x", "shape": [1, n], "datatype": "FP64", "data": row}]}).encode()
              for row in rows_json(X)]  # fmt: skip
    command = [str(home / "venv/bin/mlserver"), "start", str(home / "models")]
    return Peer("MLServer", command, "/v2/health/ready", "/v2/models/lead/infer", bodies, port, {})
