"""Files and folders appear whole or not at all."""

import errno
import os
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import Stop
from pipeline.files import whole_file, whole_folder


def test_folder_replaces_the_old_one(tmp_path: Path) -> None:
    """What an earlier run left in the folder is gone, and nothing lies beside it."""
    for text in ("one", "two"):
        with whole_folder(tmp_path / "out") as folder:
            (folder / text).write_text(text)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("writer", [whole_folder, whole_file])
def test_error_leaves_the_old_one(tmp_path: Path, writer) -> None:
    """An error inside the block leaves what was there, and no temporary."""
    path = tmp_path / "out"
    with writer(path) as new:
        (new / "a" if new.is_dir() else new).write_text("old")
    with pytest.raises(ZeroDivisionError), writer(path) as new:  # noqa: PT012 (the block is the case)
        (new / "a" if new.is_dir() else new).write_text("new")
        raise ZeroDivisionError
    assert (path / "a" if path.is_dir() else path).read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("writer", [whole_folder, whole_file])
def test_what_a_killed_run_left_goes_after_a_day(tmp_path: Path, writer: Any) -> None:
    """A run that was killed could not clear up: the next one does, but leaves a younger temporary, which another may
    write still, and what is called otherwise."""
    stays = [".out.new-7-0123abcd", ".out.new-8-notours", ".out2.new-9-0123abcd"]
    for name in (*stays, ".out.new-9-0123abcd", ".out.old-9-0123abcd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.parquet").write_text("half")
        os.utime(tmp_path / name, times=None if name == stays[0] else (0, 0))
    with writer(tmp_path / "out") as new:
        (new / "a" if new.is_dir() else new).write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*stays, "out"]


def test_a_link_and_permissions_stay(tmp_path: Path) -> None:
    """What a link leads to is replaced, and who may read a file is not decided anew."""
    real, link = tmp_path / "share" / "real.csv", tmp_path / "scores.csv"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    with whole_file(link) as new:
        new.write_text("new")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o600)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["real.csv", "scores.csv", "share"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_full_or_forbidden_disk_is_said(tmp_path: Path, code: int) -> None:
    """A full disk or a missing right is a message that names the place."""
    with pytest.raises(Stop, match="out"), whole_folder(tmp_path / "out"):
        raise OSError(code, "planted")
    assert list(tmp_path.iterdir()) == []


def test_polars_full_disk_is_said(tmp_path: Path) -> None:
    """Polars tells of a full disk in its own way; it becomes the same message."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(Stop, match="no space is left"), whole_file(tmp_path / "out.parquet"):
        pl.DataFrame({"a": [1]}).write_parquet(full)


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    """A missing input inside the block is not called a full disk."""
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "out"):
        (tmp_path / "nowhere").read_text()


def test_two_runs_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    """Runs that write the same folder together leave all of one of them."""

    def run(name: str) -> None:
        for _ in range(20):
            with whole_folder(tmp_path / "out") as folder:
                for part in "abc":
                    (folder / part).write_text(name)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("1", "2", "3")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [(tmp_path / "out" / part).read_text() for part in "abc"]
    assert len(set(written)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
