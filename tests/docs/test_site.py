"""Rules of the pages that Sphinx itself does not keep."""

import re
from pathlib import Path

import pytest

import estep
import estep.datasets
import estep.errors

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("reference/*.md")))


def listed(module):
    """Names that the reference gives a page or an entry, under this module."""
    current, found = "", set()
    for line in REFERENCE.splitlines():
        if directive := re.match(r"\.\. (currentmodule|autoclass|autofunction):: (\S+)", line):
            kind, name = directive.groups()
            if kind == "currentmodule":
                current = name
            else:
                found.add(name if "." in name else f"{current}.{name}")
        elif entry := re.match(r"   (\w+)$", line):
            found.add(f"{current}.{entry[1]}")
    return {name.rpartition(".")[2] for name in found if name.rpartition(".")[0] == module}


@pytest.mark.parametrize("module", [estep, estep.datasets], ids=lambda module: module.__name__)
def test_every_public_name_is_in_the_reference(module):
    assert listed(module.__name__) == set(module.__all__)


def test_every_error_is_in_the_reference():
    assert ".. automodule:: estep.errors\n   :members:" in REFERENCE
    assert all(getattr(estep.errors, name).__doc__ for name in dir(estep.errors) if name.endswith("Error"))


def test_pages_load_nothing_from_elsewhere():
    """What is written by hand; the theme and the extensions are local."""
    for path in [*DOCS.glob("*.py"), *DOCS.glob("_static/*"), *DOCS.glob("_templates/**/*.*")]:
        assert "http" not in path.read_text(encoding="utf-8"), path
