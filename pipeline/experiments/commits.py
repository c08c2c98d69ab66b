"""What git says of the code of a run."""

import subprocess
from pathlib import Path


def commit_tags(root: Path) -> dict[str, str]:
    """`commit` and `dirty` of a git work tree; empty where there is none. What a run writes itself, DVC's lock and
    a summary, is not dirt."""
    commit = git(root, "rev-parse", "HEAD")
    changes = git(root, "status", "--porcelain", "--", ".", ":(exclude)dvc.lock", ":(exclude)reports")
    if commit is None or changes is None:
        return {}
    return {"commit": commit, "mlflow.source.git.commit": commit, "dirty": "true" if changes else "false"}


def git(root: Path, *words: str) -> str | None:
    """What a command of git says; None where it fails."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
