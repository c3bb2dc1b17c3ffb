"""A saved model, and the table that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from estep.cli.rows import numbers
from estep.cli.source import Source
from estep.cli.streams import named
from estep.errors import DataError, ModelFileError, UsageError

if TYPE_CHECKING:
    from estep.data.table import Table


def reopen(path: str) -> Any:
    """The estimator in a model file; ModelFileError for a user's own, whose functions no file holds."""
    from estep import load
    from estep.io import read

    if read(path).kind == "EM":
        raise ModelFileError(
            f"{path!r}: a user's own model: open it in Python with estep.load(path, estep=..., mstep=...)"
        )
    return load(path)


def chain(path: str) -> Any:
    """The hidden Markov model in a file; UsageError for a model of another kind."""
    estimator = reopen(path)
    if not hasattr(estimator, "transmat_"):
        raise UsageError(
            f"{path} holds a model of the kind {type(estimator).__name__}, which has no states in time; give "
            "one of a hidden Markov model, made with estep fit hmm"
        )
    return estimator


def table_for(estimator: Any, path: str, source: Source) -> Table:
    """The columns that the model in `path` was fitted to: by name, or where it knows none by position."""
    names = getattr(estimator, "feature_names_in_", None)
    source = source._replace(open_ends=estimator._check_cells() is not None)
    if names is None:
        return numbers(source.read(source.columns), source)
    if source.columns is not None:
        raise UsageError(
            f"leave out --columns: with -m the model takes the columns it was fitted to, {named(names)}"
        )
    try:
        return source.read(tuple(names))
    except DataError as error:
        raise DataError(f"{error}; the model in {path} takes {named(names)}") from error


def sequences(estimator: Any, source: Source, groups: str | None) -> dict[str, Any]:
    """The lengths of the sequences that `groups` names, as an HMM's methods take them."""
    if groups is None:
        return {}
    if not hasattr(estimator, "transmat_"):
        raise UsageError("--groups is for the sequences of a hidden Markov model; leave it out")
    from estep.data.sequences import lengths_of

    return {"lengths": lengths_of(source.read([groups]), groups)}
