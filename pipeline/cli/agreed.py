"""Commands about what marketing and sales call a lead: definition try."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.console import told

definition = typer.Typer(
    help='What marketing and sales call a lead.\n\nExample: leadscore definition try "employees between 50 and 500"',
    no_args_is_help=True,
    rich_markup_mode=None,
)


@definition.command(name="try")
def try_(
    text: Annotated[str | None, typer.Argument(help="A criterion in one line.")] = None,
    replace: Annotated[str | None, typer.Option(help="The criterion that it replaces.")] = None,
    drop: Annotated[str | None, typer.Option(help="A criterion to leave out.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File to write, with every lead that comes in or goes out.")] = None,
    leads: Annotated[int, typer.Option(min=0, help="How many ids to show each way.")] = 10,
) -> None:
    """Show what another criterion would change.

    What it would do to volume, conversion, value and named leads, before anyone decides.

    A line joins tests by and, or, not and parentheses: FIELD = X, in X, Y, contains X, between A and B, > A, < A,
    known, unknown; event TYPE topic = X at least N within N days; no event for N days.

    \b
    Examples:
      leadscore definition try "employees between 50 and 500"
      leadscore definition try "event pricing_view at least 2 within 30 days" --replace buying_stage
      leadscore definition try --drop theme --csv moved.csv
    """
    with told():
        from pipeline import stage
        from pipeline.agreement import trying

        tried = trying.run(text, replace, drop)
        if csv is not None:
            stage.write_csv(tried.leads, csv)
    more = [] if text is None else trying.adopted(text, replace or "a_name")
    typer.echo("\n".join([*trying.lines(tried, leads), *more]))
