"""Joins results/*.md, in a fixed order, into RESULTS.md."""

from __future__ import annotations

from benchmarks.common import RESULTS

ORDER = (
    "scikit_learn",
    "onedal",
    "floor",
    "scaling",
    "holes",
    "normal",
    "float32",
    "memory",
    "first_fit",
    "search",
    "chain",
    "chain_memory",
)
HEAD = """# Results

Written by the scripts of this folder (`make bench`); nothing here is typed by hand. Contestants run in turn
on the same rows from the same start for the same number of iterations, after a warm-up that does not count;
each is given its least time of at least 5 rounds, and a rival the faster of 1 and 2 threads. The time of an
iteration is the difference of two runs of different length over the iterations between them, for every
contestant alike. A target that is not reached stays in its table with its measurement. Where a target has
an aim, the aim is in brackets.
"""


def main() -> None:
    found = {path.stem: path.read_text(encoding="utf-8").strip() for path in RESULTS.glob("*.md")}
    names = [name for name in ORDER if name in found] + sorted(set(found) - set(ORDER))
    page = "\n\n".join([HEAD.strip(), *(found[name] for name in names)]) + "\n"
    (RESULTS.parent / "RESULTS.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
