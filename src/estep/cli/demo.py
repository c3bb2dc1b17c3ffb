"""`estep demo`: the main job on data that come with the package."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estep.cli.streams import note, tell
from estep.errors import ResourceError

if TYPE_CHECKING:
    from estep.data.table import Table

AIR = ("Ozone", "Solar.R", "Wind", "Temp")
SEED = 0


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Where to write plots and models.")
    ] = Path("demo"),
) -> None:
    """Fit two models to data that come with estep.

    Prints their summaries, and writes plots and model files into a folder.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"cannot make the folder {out}: {error.strerror}; give another with --out"
        ) from error
    tell(
        "Old Faithful: a mixture of three normals over the length of an eruption and the wait for the next\n"
    )
    _faithful(out)
    tell("\nAir quality in New York: a normal over four columns with 44 missing cells\n")
    _airquality(out)


def _faithful(out: Path) -> None:
    from estep import GaussianMixture
    from estep.data.files import read_table
    from estep.datasets import path

    rows = read_table(path("faithful"))
    mixture = GaussianMixture(3, random_state=SEED).fit(rows)
    tell(mixture.summary().rstrip("\n"))
    _draw(mixture, out / "faithful_ellipses.png", "ellipses", rows, columns=("eruptions", "waiting"))
    _draw(mixture, out / "faithful_density.png", "density", rows, columns="waiting")
    _draw(mixture, out / "faithful_history.png", "history")
    _save(mixture, out / "faithful.estep")


def _airquality(out: Path) -> None:
    from estep import Normal
    from estep.data.files import read_table, write_table
    from estep.datasets import path

    whole = read_table(path("airquality"))
    rows = whole.select(AIR)
    normal = Normal().fit(rows)
    tell(normal.summary().rstrip("\n"))
    _draw(normal, out / "airquality_missing.png", "missing", rows)
    _draw(normal, out / "airquality_density.png", "density", rows, columns="Ozone")
    _save(normal, out / "airquality.estep")
    values = whole.values.copy()
    values[:, [whole.names.index(name) for name in AIR]] = normal.impute(rows)
    place = out / "airquality_imputed.csv"
    write_table(place, whole.names, values, levels=whole.levels)
    note(f"wrote {place} (missing cells at their means given the seen ones)")


def _save(estimator: Any, place: Path) -> None:
    estimator.save(place)
    note(f"wrote {place} (estep show {place} prints the summary again)")


def _draw(estimator: Any, place: Path, kind: str, rows: Table | None = None, **what: Any) -> None:
    """One plot as a PNG file."""
    from matplotlib.figure import Figure  # and not pyplot, which would look for a display

    from estep.data.formats.opening import reason
    from estep.data.formats.replacing import replacing

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    estimator.plot(kind, rows, ax=figure.subplots(), **what)
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=150)
    try:
        with replacing(str(place)) as sink:
            sink.write(held.getvalue())
    except OSError as error:
        raise ResourceError(
            f"cannot write {place}: {reason(error)}; make room there, or give another path"
        ) from error
    note(f"wrote {place}")
