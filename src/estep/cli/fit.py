"""`estep fit MODEL DATA`: one command a model, each given by the options of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from estep.cli import options as o
from estep.cli import words as w
from estep.cli.fitting import Climb, command
from estep.cli.refusing import Group
from estep.cli.streams import tell
from estep.errors import UsageError

FAMILIES = (
    "gaussian",
    "gaussian-full",
    "gaussian-tied",
    "gaussian-diag",
    "gaussian-spherical",
    "poisson",
    "categorical",
    "bernoulli",
    "interval",
)
_LAW: dict[str, Any] = {
    "metavar": "NAME",
    "callback": w.one_of(*FAMILIES),
    "help": f"One of {', '.join(FAMILIES)}.",
}
Family = Annotated[str, typer.Option("--family", **_LAW)]
Emission = Annotated[str, typer.Option("--emission", **_LAW)]
Covariance = Annotated[
    str,
    typer.Option(
        "--covariance",
        metavar="full|tied|diag|spherical",
        callback=w.one_of("full", "tied", "diag", "spherical", diagonal="diag"),
        help="Shape of the covariances.",
    ),
]
Stiffness = Annotated[
    float | None,
    typer.Option(
        "--stiffness",
        metavar="X",
        parser=w.number(zero=False),
        help="1 / (2 variance), fixed at this value; by default it is estimated.",
    ),
]
PriorRows = Annotated[
    float,
    typer.Option(
        "--prior-rows",
        metavar="N",
        parser=w.number(zero=True),
        help="So many rows' worth of prior towards no correlation; steadies a fit of few rows.",
    ),
]


Startprob = Annotated[
    str,
    typer.Option(
        "--startprob",
        metavar="free|stationary",
        callback=w.one_of("free", "stationary"),
        help="Where sequences start: estimated, or by the stationary law of the transitions.",
    ),
]
LeftRight = Annotated[
    bool, typer.Option("--left-right", help="States follow each other: no move leads back to an earlier one.")
]


class Models(Group):
    """The models of `estep fit`; data in the place of a model are told apart from a typing error."""

    def unknown(self, word: str, known: Sequence[str]) -> str:
        """What to say of a word that is no model."""
        if not any(mark in word for mark in "./:") and word != "-":
            return super().unknown(word, known).replace("command", "model")
        return (
            f"a model comes before the data, as in `estep fit normal {word}`; the models are "
            f"{', '.join(known)}"
        )


fit_app = typer.Typer(cls=Models, rich_markup_mode=None)


@fit_app.callback(
    invoke_without_command=True,
    epilog=o.example(
        "estep fit gaussian-mixture example:faithful -k 2 -o faithful.estep", "estep fit normal example:iris"
    ),
)
def fit(context: typer.Context) -> None:
    """Fit a model to a table and print its summary."""
    if context.invoked_subcommand is None:
        tell(context.get_help())


@command(fit_app, "estep fit gaussian-mixture example:faithful -k 2 -o faithful.estep")
def gaussian_mixture(
    climb: Climb, k: o.K, covariance: Covariance = "full", starts: o.Starts = "auto", seed: o.Seed = 0
) -> Any:
    """Fit a mixture of normals.

    Missing cells are integrated out.
    """
    from estep import GaussianMixture

    shape: Any = covariance
    return GaussianMixture(k, covariance_type=shape, n_init=starts, random_state=seed, **climb._asdict())


@command(fit_app, "estep fit mixture example:earthquakes --columns count --family poisson -k 2")
def mixture(
    climb: Climb, k: o.K, family: Family = "gaussian", starts: o.Starts = "auto", seed: o.Seed = 0
) -> Any:
    """Fit a mixture of counts or categories.

    Or of normals. Within a component the columns are independent, but for the family gaussian.
    """
    from estep import Mixture

    return Mixture(k, family, n_init=starts, random_state=seed, **climb._asdict())


@command(fit_app, "estep fit soft-kmeans example:faithful -k 2")
def soft_kmeans(
    climb: Climb, k: o.K, stiffness: Stiffness = None, starts: o.Starts = "auto", seed: o.Seed = 0
) -> Any:
    """Fit soft k-means.

    It is a mixture of round normals with one variance and equal weights.
    """
    from estep import SoftKMeans

    return SoftKMeans(k, stiffness=stiffness, n_init=starts, random_state=seed, **climb._asdict())


@command(fit_app, "estep fit normal example:airquality --columns Ozone,Solar.R,Wind,Temp -o air.estep")
def normal(climb: Climb, prior_rows: PriorRows = 0.0) -> Any:
    """Fit one multivariate normal, with missing cells."""
    from estep import Normal

    return Normal(prior_rows=prior_rows, **climb._asdict())


@command(fit_app, "estep fit hmm example:earthquakes --columns count --emission poisson -k 3", sequences=True)
def hmm(
    climb: Climb,
    k: o.K,
    *,
    emission: Emission = "gaussian",
    startprob: Startprob = "free",
    left_right: LeftRight = False,
    starts: o.Starts = "auto",
    seed: o.Seed = 0,
) -> Any:
    """Fit a hidden Markov model.

    The rows stand in time order.
    """
    from estep import HMM

    if left_right and startprob == "stationary":
        raise UsageError(
            "--left-right ends in the last state, where a stationary chain would start; leave one out"
        )
    return HMM(
        k,
        emission,
        startprob=startprob,  # type: ignore[arg-type]  # one of its words, as the option checked
        transmat_mask=[[i <= j for j in range(k)] for i in range(k)] if left_right else None,
        n_init=starts,
        random_state=seed,
        **climb._asdict(),
    )


@command(fit_app, "estep fit ppca example:iris -k 2")
def ppca(climb: Climb, k: o.K) -> Any:
    """Fit probabilistic principal components.

    Missing cells are integrated out.
    """
    from estep import PPCA

    return PPCA(k, **climb._asdict())


MODELS = frozenset(each.name for each in fit_app.registered_commands)
