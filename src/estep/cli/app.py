"""The command `estep` and what it is made of."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import typer.core

from estep import __version__
from estep.cli.demo import demo
from estep.cli.fit import fit_app
from estep.cli.impute import impute
from estep.cli.options import example
from estep.cli.show import show
from estep.cli.streams import tell


class InOrder(typer.core.TyperGroup):
    """Lists `fit` first; typer lists groups after commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order in which a newcomer needs them."""
        return ["fit", "impute", "show", "demo"]


# rich markup is off: plain text is the same on every terminal, and rich takes as long to import as the rest
app = typer.Typer(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(fit_app, name="fit")
app.command(
    "impute",
    epilog=example("estep impute example:airquality --columns Ozone,Solar.R,Wind,Temp -o filled.csv"),
)(impute)
app.command("show", epilog=example("estep fit normal example:iris -o iris.estep", "estep show iris.estep"))(
    show
)
app.command("demo", epilog=example("estep demo --out demo"))(demo)


def _version(wanted: bool) -> None:
    if wanted:
        tell(f"estep {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog=example(
        "estep demo",
        "estep fit gaussian-mixture example:faithful -k 2 -o faithful.estep",
        "estep show faithful.estep",
    ),
)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Latent-variable models by Expectation-Maximization: mixtures, hidden Markov models, missing data."""
    if context.invoked_subcommand is None:
        tell(context.get_help())
