"""Formulas as MathML, which browsers draw themselves: the pages load no script and no font for them."""

from __future__ import annotations

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

CONVERTER = LatexToMathML(fancy_error=False)
LOGGER = logging.getLogger(__name__)


def convert(node: nodes.Element, *, block: bool) -> str:
    """The formula of a node; one that is not understood is a warning with its place, and shown as written."""
    try:
        return str(CONVERTER.convert_with_local_state(node.astext(), displaystyle=block))
    except LatexError as error:
        LOGGER.warning("formula %r: %s", node.astext(), error, location=node)
        return f"<code>{node.astext()}</code>"


def visit_inline(self: HTML5Translator, node: nodes.Element) -> None:
    """A formula in a line."""
    self.body.append(convert(node, block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.Element) -> None:
    """A formula of its own."""
    if node.get("number"):
        raise ExtensionError("formulas are not numbered here; refer to one by what it says")
    self.body.append(f'<div class="math">{convert(node, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
