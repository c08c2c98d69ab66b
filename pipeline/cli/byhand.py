"""Commands about hand-tuned points: points explain, and scorecard."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import told

points = typer.Typer(
    help="Hand-tuned points, replayed.\n\nExample: leadscore points explain L0000012 --at 2025-03-01",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@points.command()
def explain(
    lead: Annotated[str, typer.Argument(help="The lead's id.")],
    at: Annotated[str, typer.Option(help="The instant, as ISO 8601.")],
    tables: Annotated[Path | None, typer.Option(help="Lead tables; default: those of the last run.")] = None,
    table: Annotated[Path | None, typer.Option("--points", help="A table of points; default: the last run's.")] = None,
) -> None:
    """Show which rule gave a lead which points at an instant.

    Example: leadscore points explain L0000012 --at 2025-03-01T00:00:00Z
    """
    with told():
        from pipeline.handtuned import explain as by_hand
        from pipeline.reading.personal import id_key
        from pipeline.scoring.score import parse_time

        asked = by_hand.read(tables, table, id_key())
        lines = by_hand.explain(asked, lead, parse_time(at, asked.timezone, "--at"))
    typer.echo("\n".join(lines))


def scorecard(
    output: Annotated[Path, typer.Option(help="The table of points to write.")] = Path("scorecard.yaml"),
    rules: Annotated[int, typer.Option(min=1, max=200, help="Maximum number of rules.")] = 30,
) -> None:
    """Express the model in points, for tools that need them.

    The rules follow the last run's model as closely as so few can; how closely is printed.

    Example: leadscore scorecard --output scorecard.yaml --rules 20
    """
    with told():
        from pipeline.files import whole_file
        from pipeline.handtuned.scorecard import run, text_of

        card = run(rules)
        with whole_file(output) as temporary:
            temporary.write_text(text_of(card), encoding="utf-8")
    typer.echo(f"{output}: {len(card.table.rules)} rules")
    for name, value in card.fidelity.items():
        typer.echo(f"  {name.replace('_', ' ')}: {'–' if value is None else f'{value:.4f}'}")
