"""`estep show`: what a model file holds."""

from __future__ import annotations

from typing import Annotated

import typer

from estep.cli import options as o
from estep.cli.contents import contents
from estep.cli.streams import tell


def show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model file, made with -o or with save().")],
    json: o.Json = False,
) -> None:
    """Print all that a model file holds.

    The summary of the fit, and what the file says beside it; --json leaves nothing out. Reading runs no code.
    """
    tell(contents(model, as_object=json))
