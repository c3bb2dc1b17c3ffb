"""Every place of the package that raises one of its errors, with the sentence that stands there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[2] / "src" / "estep"
ERRORS = {
    "UsageError",
    "DataError",
    "CellTypeError",
    "ModelFileError",
    "ResourceError",
    "OutOfMemoryError",
    "SourceError",
    "HookError",
    "BadParameter",
}
# a command at the head of a clause, or what would have been right
WAY = re.compile(
    r"((^|[;:,.?(] *|\bor |\band |\bso )"
    r"(give|use|ask|drop|leave|choose|check|rename|remove|close|save|write|put|sort|set|call|fit|name|open|take|"
    r"add|return|look|multiply|divide|convert|replace|unpack|decode|subtract|join|run|find|read|try|make|update|"
    r"install|report|download|decompress|spell|pass|raise|load|free|reshape|did you mean)"
    r"|must|needs?|expected|is required|one of|at most|at least|takes?|may hold|is expecting|with the suffix|"
    r"has the suffix|the (data|columns) (have|are)|they are|summary\(\) tells)\b",
    re.IGNORECASE,
)
# `read_table`, `write_table`, `write` and `read` put the path before what these rooms say
NAMED = {"data/formats", "io", "estimators/saved"}
OBJECT = re.compile(
    r"\b[a-z]+_[a-z_]+\b|--[a-z]|\bX\b|'\w+'|\b(lengths|spaces|fits|given|estep|mstep|column labels|"
    r"this model|a model|the data|standard output|kind='\w+'|ellipses|pairs|uncertainty)\b"
)


class Site(NamedTuple):
    place: str  # file:line
    kind: str
    text: str  # {} where a value is put in

    @property
    def names(self) -> bool:
        """Whether it names its object: by a value put in or a parameter; readers add the path."""
        return self.room in NAMED or "{}" in self.text or OBJECT.search(self.text) is not None

    @property
    def room(self) -> str:
        return self.place.rpartition("/")[0]

    @property
    def helps(self) -> bool:
        """Whether it says what to do, or what would have been right; `naming` adds it for model files."""
        return self.kind == "ModelFileError" or WAY.search(self.text) is not None


def sites() -> Iterator[Site]:
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            kind = getattr(node.exc.func, "id", getattr(node.exc.func, "attr", ""))
            if kind in ERRORS:
                inside = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
                text = spelled(node.exc.args[0], (*inside[-1:], tree)) if node.exc.args else ""
                yield Site(f"{path.relative_to(SOURCE)}:{node.lineno}", kind, text)


def spelled(node: ast.AST, around: tuple[ast.AST, ...]) -> str:  # noqa: PLR0911 - one a kind of node
    """The words of a message, {} for what is put in; a local name stands for all that it is given."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(spelled(part, around) for part in parts)
        case ast.FormattedValue(value=ast.Name() as inner):
            return "{}" + given(inner.id, around)
        case ast.FormattedValue(value=ast.IfExp() as inner):
            return "{}" + spelled(inner, around)
        case ast.BinOp(left=left, right=right):
            return spelled(left, around) + spelled(right, around)
        case ast.IfExp(body=body, orelse=orelse):
            return f"{spelled(body, around)} {spelled(orelse, around)}"
        case ast.Name(id=name):
            return given(name, around)
        case _:
            return "{}"


def given(name: str, around: tuple[ast.AST, ...]) -> str:
    """What a name is set to in its function, or else in its file."""
    for room in around:
        nodes = [node for node in ast.walk(room) if isinstance(node, ast.Assign | ast.AugAssign)]
        texts = [spelled(node.value, ()) for node in nodes if name in targets(node)]
        if texts:
            return " ".join(text for text in texts if text != "{}")
    return ""


def targets(node: ast.Assign | ast.AugAssign) -> set[str]:
    found = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {each.id for target in found for each in ast.walk(target) if isinstance(each, ast.Name)}
