"""`estep show`: what a model file holds."""

from __future__ import annotations

from estep.cli import options as o
from estep.cli.fitting import told
from estep.cli.model import reopen
from estep.cli.streams import tell


def show(
    model: o.ModelArgument,
    json: o.Json = False,
) -> None:
    """Print the summary of a saved model.

    Or all it holds, with --json. Reading a model file runs no code.
    """
    tell(told(reopen(model), json=json))
