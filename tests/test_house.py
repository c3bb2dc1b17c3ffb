"""Rules of the house that no single room can keep."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_every_warning_has_a_section_in_the_documents() -> None:
    codes = {code for path in SOURCES for code in re.findall(r'"(EM\d{3})\b', path.read_text())}
    sections = set(
        re.findall(r"^## (EM\d{3}): ", (ROOT / "docs" / "warnings.md").read_text(), flags=re.MULTILINE)
    )
    assert codes == sections


def test_every_finding_of_a_fit_has_a_cause_and_a_fix() -> None:
    from estep.report.diagnose import CODES

    codes = {code for path in SOURCES for code in re.findall(r'"(EM\d{3})\b', path.read_text())}
    assert codes - CODES.keys() == {"EM005", "EM012"}  # told when they happen, and not of a fit


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_long_file_says_why_in_its_first_line(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 300 or "long because" in lines[0]


def test_importing_estep_loads_nothing_slow() -> None:
    slow = (
        "sklearn",
        "scipy",
        "pyarrow",
        "matplotlib",
        "narwhals",
        "pandas",
        "polars",
        "safetensors",
        "typer",
    )
    code = f"import sys, estep; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_there() -> None:
    import estep

    for name in estep.__all__:
        assert getattr(estep, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'Kmeans'"):
        estep.Kmeans  # noqa: B018
