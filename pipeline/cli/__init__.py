"""The `leadscore` command."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import again, agreed, byhand
from pipeline.cli.console import BUNDLE, LanguageOption, bar, read, told
from serving import cli as serving

app = typer.Typer(
    name="leadscore",
    help="Probabilities that sales leads convert, instead of hand-tuned points.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"leadscore {version('leadscore')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Folder to write the tables to.")],
    leads: Annotated[int, typer.Option(min=1, help="How many leads.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same company.")] = 1,
    world: Annotated[str, typer.Option(help="Kind of company: company, plain, interacting, bursty, …")] = "company",
) -> None:
    """Write the lead tables of an imagined company.

    The true probabilities are written beside them, under OUT/truth.

    Example: leadscore simulate data/imagined --leads 5000 --seed 3
    """
    with told():
        from pipeline.errors import Stop
        from pipeline.params import Definition
        from pipeline.simulator import WORLDS
        from pipeline.simulator import simulate as run

        if world not in WORLDS:
            raise Stop(f"--world {world!r}: expected one of {', '.join(WORLDS)}")
        definition = Definition()
        ages, days = definition.snapshots.ages_days, int(definition.conversion.within_days)
        with bar("simulating accounts") as progress:
            run(out, WORLDS[world], leads, seed, ages, days, progress)
    typer.echo(f"{out}: tables of {leads} leads; {out / 'truth' / 'truth.parquet'}: their true probabilities")


@app.command()
def score(
    tables: Annotated[Path, typer.Option(help="Folder of lead tables, or one flat file.")],
    output: Annotated[Path, typer.Option(help="File to write: .csv or .parquet.")],
    bundle: Annotated[Path, typer.Option(help="The model's folder.")] = BUNDLE,
    as_of: Annotated[
        str | None, typer.Option(help="Score as of this instant; default: the tables' latest time.")
    ] = None,
    reasons: Annotated[bool, typer.Option("--reasons/--no-reasons", help="Give exact reasons in plain words.")] = True,
    language: LanguageOption = "en",
    ask: Annotated[bool, typer.Option("--ask", help="Add a column: the missing field to ask for next.")] = False,
    previous: Annotated[
        Path | None, typer.Option(help="Yesterday's scores; keeps leads from switching routes back and forth.")
    ] = None,
) -> None:
    """Score every lead of some tables.

    Example: leadscore score --tables data/simulated --output scores.csv --as-of 2025-06-01T00:00:00Z
    """
    with told():
        from pipeline.scoring import score as scoring
        from pipeline.scoring.previous import read_routes
        from pipeline.scoring.remarks import remarks

        scoring.check_output(output)
        scoring.check_apart(output, tables)
        routes = None if previous is None else read_routes(previous)
        model, asked = read(bundle, tables, as_of)
        with bar("scoring leads") as progress:
            frame = scoring.score_tables(model, asked, language if reasons else None, progress, routes)
        if ask:
            from pipeline.scoring.ask import questions_of

            frame = frame.join(questions_of(model, asked), on="lead_id", how="left", maintain_order="left")
        scoring.write(frame, output)
    counts = ", ".join(f"{n} {status}" for status, n in frame["status"].value_counts(sort=True).iter_rows())
    counts = counts or "no lead was there"
    when = "" if asked.as_of is None else f" as of {asked.as_of.isoformat()}"
    typer.echo(f"{output}: {counts}{when} by model {model.version}")
    for line in [*refusals(asked.checked.report), *remarks(model, asked)]:
        typer.echo(line, err=True)


@app.command()
def queue(
    capacity: Annotated[int, typer.Option(min=1, help="How many leads can be called.")] = 50,
    tables: Annotated[Path | None, typer.Option(help="Lead tables; default: those of the last run.")] = None,
    bundle: Annotated[Path, typer.Option(help="The model's folder.")] = BUNDLE,
    as_of: Annotated[str | None, typer.Option(help="As of this instant; default: the tables' latest time.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="File to write, .csv or .parquet; default: print to the terminal.")
    ] = None,
    language: LanguageOption = "en",
) -> None:
    """List the leads worth the next calls, and why.

    The best come first: by expected value less the cost of a call where that is known, else by probability.

    Example: leadscore queue --capacity 50 --output calls.csv
    """
    with told():
        from pipeline.scoring import queue as queueing
        from pipeline.scoring import score as scoring

        folder = queueing.last_tables() if tables is None else tables
        if output is not None:
            scoring.check_output(output)
            scoring.check_apart(output, folder)
        model, asked = read(bundle, folder, as_of)
        with bar("scoring leads") as progress:
            frame = scoring.score_tables(model, asked, language, progress)
        found = queueing.queue(frame, model.policy, capacity)
        if output is not None:
            scoring.write(found, output)
    typer.echo(f"{output}: {len(found)} leads" if output is not None else "\n".join(queueing.lines(found)))


def refusals(report: dict[str, dict[str, object]]) -> list[str]:
    """What was refused or excluded of each table, in a line each."""
    return [
        f"{name}: {what} {', '.join(f'{n} {code}' for code, n in dict(sums[key]).items())}"  # type: ignore[call-overload]
        for name, sums in report.items()
        for what, key in (("refused", "quarantined"), ("excluded", "excluded"))
        if sums[key]
    ]


@app.command()
def show() -> None:
    """Show the result of the last run.

    A short table, where the report is, and what to try next.

    Example: leadscore show
    """
    with told():
        from rich.console import Console

        from pipeline import stage
        from pipeline.reporting.summary import summary_table
        from pipeline.reporting.verdict import headline

        console, metrics = Console(), stage.read_json(stage.METRICS)
        console.print(headline(metrics, stage.read_json(stage.INTERVALS)), highlight=False)
        console.print(summary_table(metrics))
        typer.echo(f"To read: {stage.REPORT}, {stage.DEFINITION_PAGE}\nNext:")
        typer.echo("\n".join(f"  {line}" for line in _next()))


def _next() -> tuple[str, ...]:
    """Commands to try after a run."""
    from pipeline.scoring.queue import last_tables

    return (
        f".venv/bin/leadscore score --tables {last_tables()} --output scores.csv",
        ".venv/bin/dvc exp run -S train.num_leaves=7      # then: .venv/bin/dvc exp show --only-changed --drop '.*/'",
        "make ui                                          # the runs in MLflow, on loopback",
    )


@app.command(hidden=True)
def stage(name: Annotated[str, typer.Argument(help="A stage of dvc.yaml.")]) -> None:
    """Run one stage of the pipeline, as DVC does.

    Example: leadscore stage label
    """
    with told():
        from pipeline.errors import Stop
        from pipeline.stages import STAGES

        if name not in STAGES:
            raise Stop(f"stage {name!r}: expected one of {', '.join(STAGES)}")
        STAGES[name]()


for command in (byhand.scorecard, again.recheck, again.stalled, again.accounts, again.ask):
    app.command()(command)
app.command()(serving.serve)
app.add_typer(byhand.points, name="points")
app.add_typer(agreed.definition, name="definition")
app.add_typer(serving.keys, name="keys")


def main() -> None:
    """The console script: a process that only scores leaves out what LightGBM would import besides."""
    if sys.argv[1:2] in (["score"], ["queue"]) or sys.argv[1:3] in (["stage", "evaluate"], ["stage", "audit"]):
        from models.bundle.lean import import_lean

        import_lean()
    if sys.argv[1:2] == ["serve"]:
        from models.bundle.lean import import_lean

        import_lean("pandas", "pyarrow")
    app()
