"""Files and folders that appear whole or not at all."""

import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import Stop

ABANDONED_S = 86_400.0
"""A temporary that was last written so long ago is nobody's; a younger one may be that of a run on another machine."""
FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary sibling that takes the place of `path` when the block ends well.

    On an error the temporary goes and what was at `path` stays. Raises Stop where the disk is full or
    not ours.
    """
    with _told(path):
        new = _sibling(path, "new")
        new.mkdir()
        try:
            yield new
            _replace_folder(new, path)
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name that takes the place of the file `path` when the block ends well; see whole_folder.

    Where `path` is a link, what it leads to is replaced; a file that was there keeps its permissions.
    """
    with _told(path):
        path = path.resolve()
        new = _sibling(path, "new")
        try:
            yield new
            with suppress(FileNotFoundError):
                new.chmod(path.stat().st_mode)
            new.replace(path)
        finally:
            with suppress(FileNotFoundError):
                new.unlink()


def _sibling(path: Path, role: str) -> Path:
    """A name beside `path` that no other run has. Creates the folder around it, and clears it of what was left there by
    runs that were killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = re.compile(re.escape(f".{path.name}.") + r"(new|old)-\d+-[0-9a-f]{8}")
    for other in path.parent.iterdir():
        if left.fullmatch(other.name) and _age_s(other) > ABANDONED_S:
            _remove(other)
    return path.parent / f".{path.name}.{role}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _replace_folder(new: Path, path: Path) -> None:
    """Move `new` to `path`. Another run may do the same at once: the last one stays, whole."""
    old = _sibling(path, "old")
    for _ in range(100):
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            new.rename(path)
            break
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                with suppress(OSError):
                    old.rename(path)
                raise
        finally:
            _remove(old)
    else:
        raise Stop(f"{path}: other runs keep replacing it; let them end and run again")


def _age_s(path: Path) -> float:
    """Seconds since it was last written; 0 where its run has just moved it away."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn a full disk and a missing permission into a Stop; other errors pass as they are."""
    try:
        yield
    except Stop:
        raise
    except Exception as error:
        code = _code(error)
        if code in FULL:
            raise Stop(
                f"{path}: cannot be written, no space is left on its disk; what an earlier run wrote is"
                " unchanged. Free some space and run again"
            ) from error
        if code in FORBIDDEN:
            place = getattr(error, "filename", None) or path
            raise Stop(
                f"{place}: permission denied or a read-only disk; what an earlier run wrote is unchanged."
                " Give yourself the right to write there and run again"
            ) from error
        raise


def _code(error: Exception) -> int | None:
    """The errno of an error. Polars says it only in its text: `No space left on device (os error 28)`."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    return next((code for code in FULL | FORBIDDEN if f"(os error {code})" in text), None)
