"""`estep show`: what a model file holds."""

from __future__ import annotations

from estep.cli import options as o
from estep.cli.streams import tell


def show(
    model: o.ModelArgument,
    json: o.Json = False,
) -> None:
    """Print all that a model file holds.

    The summary of the fit, and what the file says beside it; --json leaves nothing out. Reading runs no code.
    """
    from estep.cli.contents import contents  # brings numpy, which --help does without

    tell(contents(model, as_object=json))
