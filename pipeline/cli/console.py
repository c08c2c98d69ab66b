"""What the commands share: errors in one message, a progress bar, and a model with the tables to look at."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.explaining.words import Language

if TYPE_CHECKING:  # what it imports takes half a second, which --help must not
    from models.bundle.folder import Bundle
    from pipeline.scoring.score import Asked

BUNDLE = Path("artifacts/bundle")
LanguageOption = Annotated[Language, typer.Option("--language", help="Of the reasons.")]


@contextmanager
def told() -> Iterator[None]:
    """Say what is wrong in one message on standard error, and exit with 1."""
    from models.errors import DamagedBundle
    from pipeline.errors import Stop

    try:
        yield
    except (Stop, DamagedBundle) as error:
        typer.echo(f"leadscore: {error}", err=True)
        raise typer.Exit(1) from error
    except BrokenPipeError:  # `| head` has had enough: the command line ends without a word
        raise
    except Exception as error:
        said = _of_the_disk(error)
        if said is None:
            raise
        typer.echo(f"leadscore: {said}; check the path, its permissions and the disk", err=True)
        raise typer.Exit(1) from error


def _of_the_disk(error: Exception) -> str | None:
    """What the system refused; Polars says it only in the text of errors of its own. None for a bug of ours."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return " ".join(str(error).split()) if "(os error " in str(error) else None


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, where there is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, of: bars.update(task, completed=done, total=of)


def read(bundle: Path, tables: Path, as_of: str | None) -> "tuple[Bundle, Asked]":
    """A model, and the tables as it reads them. Raises Stop and DamagedBundle."""
    from models.bundle.folder import load_bundle
    from pipeline.reading.personal import id_key
    from pipeline.scoring import score as scoring

    model = load_bundle(bundle)
    at = None if as_of is None else scoring.parse_time(as_of, model.reading["timezone"])
    return model, scoring.read(model, tables, at, id_key(), datetime.now(UTC))
