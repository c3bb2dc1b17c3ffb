"""The command `estep` and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from estep import __version__
from estep.cli.demo import demo
from estep.cli.fit import MODELS, fit_app
from estep.cli.forecast import forecast
from estep.cli.impute import impute
from estep.cli.options import example
from estep.cli.predict import predict
from estep.cli.refusing import Command, Group
from estep.cli.sample import sample
from estep.cli.score import score
from estep.cli.show import show
from estep.cli.states import decode, filter_
from estep.cli.streams import tell


class Commands(Group):
    """The commands of `estep`; typer would list the group `fit` last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order in which a newcomer needs them."""
        return ["fit", "predict", "score", "impute", "decode", "filter", "forecast", "sample", "show", "demo"]

    def unknown(self, word: str, known: Sequence[str]) -> str:
        """What to say of a word that is no command."""
        if word in MODELS:
            return f"{word!r} is a model; say `estep fit {word}`"
        return super().unknown(word, known)


# rich markup is off: plain text is the same on every terminal, and rich takes as long to import as the rest
app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(fit_app, name="fit")
_FIT = "estep fit gaussian-mixture example:faithful -k 2 -o faithful.estep"
app.command(
    "predict",
    cls=Command,
    epilog=example(_FIT, "estep predict example:faithful -m faithful.estep --probabilities -o labels.csv"),
)(predict)
app.command(
    "score", cls=Command, epilog=example(_FIT, "estep score example:faithful -m faithful.estep --json")
)(score)
app.command(
    "impute",
    cls=Command,
    epilog=example("estep impute example:airquality --columns Ozone,Solar.R,Wind,Temp -o filled.csv"),
)(impute)
_FIT_CHAIN = "estep fit hmm example:earthquakes --columns count --emission poisson -k 3 -o quakes.estep"
app.command(
    "decode",
    cls=Command,
    epilog=example(_FIT_CHAIN, "estep decode example:earthquakes -m quakes.estep -o states.csv"),
)(decode)
app.command(
    "filter", cls=Command, epilog=example(_FIT_CHAIN, "estep filter example:earthquakes -m quakes.estep")
)(filter_)
app.command(
    "forecast",
    cls=Command,
    epilog=example(_FIT_CHAIN, "estep forecast example:earthquakes -m quakes.estep -n 3"),
)(forecast)
app.command(
    "sample", cls=Command, epilog=example(_FIT, "estep sample faithful.estep -n 5 --seed 1 --labels")
)(sample)
app.command(
    "show",
    cls=Command,
    epilog=example("estep fit normal example:iris -o iris.estep", "estep show iris.estep"),
)(show)
app.command("demo", cls=Command, epilog=example("estep demo --out demo"))(demo)


def _version(wanted: bool) -> None:
    if wanted:
        tell(f"estep {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog=example(
        "estep demo",
        "estep fit gaussian-mixture example:faithful -k 2 -o faithful.estep",
        "estep predict example:faithful -m faithful.estep -o labels.csv",
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
