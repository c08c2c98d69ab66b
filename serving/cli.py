"""`leadscore serve` and `leadscore keys`. Imports wait until a command runs."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from serving.settings import Settings

keys = typer.Typer(
    help="API keys of the service.\n\nExample: leadscore keys create --name crm",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@contextmanager
def told() -> Iterator[None]:
    """Say what is wrong in one message on standard error, and exit with 1."""
    from models.errors import DamagedBundle
    from serving.security import KeysUnreadable
    from serving.server import Closed

    try:
        yield
    except (DamagedBundle, KeysUnreadable, Closed) as error:
        _end(str(error))
    except OSError as error:
        _end(f"{error.filename or 'the network'}: {error.strerror or error}")


def _end(message: str) -> NoReturn:
    typer.echo(f"leadscore: {message}", err=True)
    raise typer.Exit(1)


def settings_of(**given: Any) -> "Settings":
    """What the options say, else the environment, else the defaults."""
    from pydantic import ValidationError

    from serving.settings import PREFIX, Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        _end(f"{PREFIX}{'_'.join(map(str, first['loc'])).upper()}: {first['msg']}")


def serve(
    bundle: Annotated[Path | None, typer.Option(help="The model's folder. [default: artifacts/bundle]")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address; others than loopback need an API key. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one. [default: 8000]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer. [default: 1]")] = None,
) -> None:
    """Serve the model over HTTP.

    LEADSCORE_BUNDLE, LEADSCORE_HOST, … set the same and more: see docs/serving.md.

    Example: leadscore serve --port 8000
    """
    settings = settings_of(bundle=bundle, host=host, port=port, workers=workers)
    with told():
        from serving import server, supervisor
        from serving.logs import note
        from serving.settings import not_heeded

        server.check_reach(settings)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # whoever reads where we listen may send it, and ends nothing
        with server.bind(settings) as sock:
            note("serving", bundle=str(settings.bundle), url=f"http://{server.address_of(sock)}")
            for line in not_heeded(os.environ):
                note(line, "warning")
            if settings.workers > 1:
                sys.exit(supervisor.run(settings, sock))
            server.run(settings, sock)


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="Who uses it.")],
    scope: Annotated[
        Literal["score", "admin"], typer.Option(help="score, or admin, which may also reload the model.")
    ] = "score",
) -> None:
    """Create an API key and print it, this once.

    Only its SHA-256 is kept.

    Example: leadscore keys create --name crm
    """
    settings = settings_of()
    with told():
        from serving.security import create_key

        try:
            typer.echo(create_key(settings.keys, name, scope, datetime.now(UTC)))
        except ValueError as error:
            _end(str(error))


@keys.command(name="list")
def show() -> None:
    """List names, scopes and ages of the API keys.

    Example: leadscore keys list
    """
    settings = settings_of()
    with told():
        from serving.security import read_keys

        for key in read_keys(settings.keys):
            typer.echo(f"{key.name}\t{key.scope}\t{key.created_at}")


@keys.command()
def revoke(name: Annotated[str, typer.Option(help="Whose key.")]) -> None:
    """Revoke an API key.

    A running service refuses it within a second.

    Example: leadscore keys revoke --name crm
    """
    settings = settings_of()
    with told():
        from serving.security import revoke_key

        if not revoke_key(settings.keys, name):
            _end(f"{settings.keys}: no key is named {name!r}")
    typer.echo(f"{name}: revoked", err=True)
