"""Run as a script: the parametrised tests that pytest collects in the given files, as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

import pytest


class Collector:
    found: list[tuple[str, str, list[str]]]  # file::function, id, fixtures

    def pytest_collection_finish(self, session: Any) -> None:
        self.found = [
            (item.nodeid.partition("[")[0], item.callspec.id, sorted(item.fixturenames))
            for item in session.items
            if hasattr(item, "callspec")
        ]


if __name__ == "__main__":
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[collector]
        )
    sys.stdout.write(json.dumps(collector.found))
    sys.exit(code)
