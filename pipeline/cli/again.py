"""Commands that look at leads again, or at their accounts: recheck, stalled, accounts and ask."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import BUNDLE, LanguageOption, bar, read, told

Tables = Annotated[Path, typer.Option(help="Folder of lead tables, or one flat file.")]
Folder = Annotated[Path, typer.Option(help="The model's folder.")]
AsOf = Annotated[str | None, typer.Option(help="As of this instant; default: the tables' latest time.")]
Output = Annotated[Path, typer.Option(help="File to write: .csv or .parquet.")]


def recheck(
    tables: Tables,
    since: Annotated[str, typer.Option(help="When the leads were last scored.")],
    output: Output = Path("recheck.csv"),
    as_of: AsOf = None,
    bundle: Folder = BUNDLE,
    before_bundle: Annotated[
        Path | None, typer.Option(help="The model that made the earlier scores, if a different one.")
    ] = None,
) -> None:
    """List past leads whose probability rose, and why.

    Weak, old and disqualified leads that are likelier than when they were last scored; the change is split exactly.

    Example: leadscore recheck --tables data/simulated --since 2025-05-01 --output recheck.csv
    """
    with told():
        from pipeline.scoring import score as scoring
        from pipeline.scoring.recheck import recheck as run

        scoring.check_output(output)
        scoring.check_apart(output, tables)
        model, asked = read(bundle, tables, as_of)
        first = scoring.parse_time(since, model.reading["timezone"], "--since")
        when = None if asked.as_of is None else asked.as_of.isoformat()
        before = None if before_bundle is None else read(before_bundle, tables, when)
        found = run(model, asked, first, before)
        scoring.write(found, output)
    counts = ", ".join(f"{n} {kind}" for kind, n in found["kind"].value_counts(sort=True).iter_rows()) or "no lead"
    typer.echo(f"{output}: {counts} rose since {first.isoformat()} by model {model.version}")


def stalled(
    tables: Tables,
    output: Output = Path("stalled.csv"),
    days: Annotated[
        float, typer.Option(min=0, help="Days without contact after which a lead counts as untouched.")
    ] = 30,
    as_of: AsOf = None,
    bundle: Folder = BUNDLE,
) -> None:
    """List open leads that stand still or are untouched.

    Those that have been in their stage for longer than usual, or that no seller touched; the most valuable come first.

    Example: leadscore stalled --tables data/simulated --days 30 --output stalled.csv
    """
    with told():
        from pipeline.scoring import score as scoring
        from pipeline.scoring.stalled import sellers_seen
        from pipeline.scoring.stalled import stalled as run

        scoring.check_output(output)
        scoring.check_apart(output, tables)
        model, asked = read(bundle, tables, as_of)
        found = run(model, asked, days)
        scoring.write(found, output)
    typer.echo(f"{output}: {len(found)} leads")
    if not sellers_seen(asked, model):
        typer.echo("no event of a seller is in the tables: nobody knows which leads are untouched", err=True)


def accounts(
    tables: Tables,
    output: Output = Path("accounts.csv"),
    as_of: AsOf = None,
    bundle: Folder = BUNDLE,
    language: LanguageOption = "en",
) -> None:
    """Rank accounts with an open lead, with missing roles.

    The most valuable come first: the probability that they convert, who of the buying group is known and active there,
    and which role is missing.

    Example: leadscore accounts --tables data/simulated --output accounts.csv
    """
    with told():
        from pipeline.buying.buyers import accounts as run
        from pipeline.scoring import score as scoring

        scoring.check_output(output)
        scoring.check_apart(output, tables)
        model, asked = read(bundle, tables, as_of)
        with bar("scoring leads") as progress:
            found = run(model, asked, language, progress)
        scoring.write(found, output)
    typer.echo(f"{output}: {len(found)} accounts as of {asked.as_of.isoformat()} by model {model.version}")  # type: ignore[union-attr]


def ask(
    lead: Annotated[str, typer.Argument(help="The lead's id.")],
    tables: Tables,
    as_of: AsOf = None,
    bundle: Folder = BUNDLE,
) -> None:
    """Suggest the one question to ask a lead next.

    Also says what each missing field would tell.

    Example: leadscore ask L0008537 --tables data/simulated
    """
    with told():
        from pipeline.scoring.ask import ask as run

        lines = run(*read(bundle, tables, as_of), lead)
    typer.echo("\n".join(lines))
