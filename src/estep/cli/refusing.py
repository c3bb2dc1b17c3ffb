"""What is wrong with the words of a command: all of it at once, each in a sentence with a way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
import typer.core

from estep.errors import EstepError, UsageError

REFUSED: type[Exception] = typer.BadParameter.__bases__[0]  # click's UsageError; typer has moved it about


class Command(typer.core.TyperCommand):
    """A command that goes on reading its words after the first that is wrong, to name every fault."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words as parameters in `ctx`; UsageError with every fault of theirs."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except REFUSED:
            pass  # it comes again below, among the others
        faults: list[str] = []
        options, left = self._mended(ctx, words, faults)
        for param in self.get_params(ctx):
            try:
                param.handle_parse_result(ctx, options, left)
            except REFUSED as error:
                faults.append(sentence(error))
        if left and not any("no such option" in fault for fault in faults):
            faults.append(f"one word too many: {' '.join(map(repr, left))}; only options may follow")
        faults += _of_the_data(ctx.params)
        raise UsageError(together(faults, ctx.command_path))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`DATA` for what typer writes as `{DATA}`."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def _mended(self, ctx: Any, words: list[str], faults: list[str]) -> tuple[Mapping[str, Any], list[str]]:
        """The options and the words left over, where an unknown option is taken for the nearest."""
        for _ in range(len(words) + 1):  # each turn mends one word
            try:
                options, left, _ = self.make_parser(ctx).parse_args(args=list(words))
            except REFUSED as error:
                faults.append(sentence(error))
                self._mend(words, error)
            else:
                return options, left
        return {}, []

    def _mend(self, words: list[str], error: Any) -> None:
        name = error.option_name
        at = next((i for i, word in enumerate(words) if _is_option(word, name)), None)
        if at is None:
            del words[-1:]
        elif hasattr(error, "possibilities") and (near := _nearest(error)):
            words[at] = near + words[at][len(name) :]
        else:
            del words[at]


class Group(typer.core.TyperGroup):
    """A command of commands, listed in the order in which they were written."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; UsageError with the nearest ones for a word that names none."""
        try:
            return super().resolve_command(ctx, args)
        except REFUSED as error:
            word, known = args[0], self.list_commands(ctx)
            if word.startswith("-"):
                raise UsageError(together([sentence(error)], ctx.command_path)) from error
            raise UsageError(together([self.unknown(word, known)], ctx.command_path)) from error

    def unknown(self, word: str, known: Sequence[str]) -> str:
        """What to say of a word that is no command of this group."""
        near = difflib.get_close_matches(word, known, n=1)
        if near:
            return f"no such command: {word!r}; did you mean {near[0]!r}?"
        return f"no such command: {word!r}; give one of {', '.join(known)}"


def together(faults: Sequence[str], command: str) -> str:
    """One fault, or a list of them, and where to read on."""
    if len(faults) == 1:
        return f"{faults[0]} (see {command} --help)"
    lines = "".join(f"\n- {fault}" for fault in faults)
    return f"{len(faults)} faults in the command (see {command} --help):{lines}"


def sentence(error: Any) -> str:
    """What is wrong with a word of a command."""
    wrong = getattr(error, "option_name", None)
    if wrong is not None and hasattr(error, "possibilities"):
        near = _nearest(error)
        return f"no such option: {wrong}" + (f"; did you mean {near}?" if near else "")
    options = getattr(getattr(error, "param", None), "opts", ())
    if type(error) is typer.BadParameter and options:
        return f"{max(options, key=len)}: {error.message.rstrip('.')}"
    said = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    return said[:1].lower() + said[1:]


def _nearest(error: Any) -> str | None:
    near = difflib.get_close_matches(error.option_name, error.possibilities or (), n=1, cutoff=0.7)
    return near[0] if near else None


def _is_option(word: str, name: str) -> bool:
    """Whether this word gave this option; short ones may share a word, as in -vk."""
    bundled = len(name) == 2 and word.startswith("-") and not word.startswith("--") and name[1] in word
    return word.partition("=")[0] == name or bundled


def _of_the_data(words: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the data, or with the columns asked for, where this can be seen without reading."""
    path = words.get("data")
    if path is None:
        return
    from estep.cli.source import Source, held, is_read_once

    if is_read_once(path):
        return
    asked = [words.get("weights"), words.get("groups"), *(words.get("columns") or ())]
    try:
        with held(Source(path, separator=words.get("sep"))) as source:
            source.require([name for name in asked if name is not None])
    except EstepError as error:
        yield str(error)
