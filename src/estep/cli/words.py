"""Readers of the words after an option: each gives a value, or says in a sentence what would be one."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import typer

TAB = ("tab", "\\t")


def one_of(*known: str, **aliases: str) -> Callable[[str], str]:
    """A check that a word is one of those known; the message suggests the nearest."""

    def check(word: str) -> str:
        word = aliases.get(word, word)
        if word in known:
            return word
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise typer.BadParameter(f"{word!r} is unknown; {hint}Choose from {', '.join(known)}")

    return check


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """A reader of whole numbers; a default comes as a number already."""
    span = f">= {least}" if most is None else f"from {least} to {most}"

    def read(word: Any) -> int:
        try:
            value = int(word)
        except ValueError:
            raise typer.BadParameter(f"{word!r} is not a whole number; give one {span}") from None
        if value < least or (most is not None and value > most):
            raise typer.BadParameter(f"{value} is out of range; give a whole number {span}")
        return value

    return read


def number(*, zero: bool) -> Callable[[Any], float]:
    """A reader of finite numbers above zero, or zero as well."""
    span = "a number >= 0" if zero else "a number above 0"

    def read(word: Any) -> float:
        try:
            value = float(word)
        except ValueError:
            raise typer.BadParameter(f"{word!r} is not a number; give {span}, such as 0.5") from None
        if not (0 < value < float("inf") or (zero and value == 0)):  # nan is in no range
            raise typer.BadParameter(f"{word} is out of range; give {span}, such as 0.5")
        return value

    return read


def shares(word: Any) -> list[float]:
    """Numbers between 0 and 1, with commas between; a default comes as text as well."""
    try:
        found = [float(each) for each in str(word).split(",")]
    except ValueError:
        raise typer.BadParameter(f"{word!r} is not a list of numbers; give them as 0.05,0.95") from None
    if not all(0 < each < 1 for each in found) or len(set(found)) < len(found):
        raise typer.BadParameter(f"{word!r}: give different numbers above 0 and below 1, such as 0.05,0.95")
    return found


def starts(word: Any) -> int | Literal["auto"]:
    """How many starts, or "auto"."""
    return "auto" if word == "auto" else whole(1)(word)


def separator(word: str | None) -> str | None:
    """What stands between the cells of a CSV file."""
    if word is None or word in TAB:
        return None if word is None else "\t"
    if len(word) != 1 or not word.isascii() or word.isalnum() or word in '"\r\n+-':
        raise typer.BadParameter(f"{word!r} cannot separate cells; give one character, such as ; or tab")
    return word


def names(words: Sequence[str] | None) -> list[str] | None:
    """Names of columns with commas between; a name that holds a comma is quoted."""
    if not words:
        return None
    try:
        found = [
            name.strip() for row in csv.reader(words, skipinitialspace=True, strict=True) for name in row
        ]
    except csv.Error as error:
        raise typer.BadParameter(
            f"{','.join(words)!r} is not a list of names: {error}; close each quote"
        ) from None
    if len(set(found)) < len(found) or not all(found):
        raise typer.BadParameter(f"give distinct names with commas between; found {','.join(found)!r}")
    return found


def model_place(word: str | None) -> str | None:
    """Where a model is saved."""
    if word == "-":
        raise typer.BadParameter("a model is not written to standard output; give a file such as model.estep")
    if word is not None and Path(word).suffix != ".estep":
        stem = Path(word).stem or "model"
        raise typer.BadParameter(f"{word!r}: a model file has the suffix .estep, such as {stem}.estep")
    return word


def table_place(word: str | None) -> str | None:
    """Where a table is written: a place of which the suffix says the format."""
    from estep.data.formats.opening import SUFFIXES

    if word not in (None, "-") and Path(word).suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"{word!r}: give it one of the suffixes .csv, .tsv, .parquet, .feather")
    return word
