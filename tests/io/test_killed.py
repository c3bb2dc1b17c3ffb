"""A save that is killed leaves the old file or the new one, and so do two that race."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estep import Normal, load
from estep.data.formats.replacing import replacing

# Says how long a write takes. For a line of names on standard input it forks a process that writes those
# files to one place in turn, for ever. `write` is all that `save` does on the disk, so most kills fall there.
NURSERY = """
import os, sys, time
from estep.io import read, write
files = {name: read(name) for name in ("a.estep", "b.estep")}
start = time.perf_counter()
for _ in range(10):
    write("a.estep", files["a.estep"])
print((time.perf_counter() - start) / 10, flush=True)
for line in sys.stdin:
    child = os.fork()
    while child == 0:
        for name in line.split():
            write("model.estep", files[name])
    print(child, flush=True)
"""


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`begin("a.estep", "b.estep")`, which starts a process that writes both, and the seconds of a write."""
    monkeypatch.chdir(tmp_path)
    for name, seed in (("a.estep", 1), ("b.estep", 2)):
        Normal().fit(np.random.default_rng(seed).normal(size=(40, 10))).save(name)
    shutil.copy("a.estep", "model.estep")
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", NURSERY]
    children: list[int] = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=known
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def begin(*names: str) -> int:
            process.stdin.write(" ".join(names) + "\n")
            children.append(int(process.stdout.readline()))
            return children[-1]

        yield begin, float(process.stdout.readline())
        for child in children:
            os.kill(child, signal.SIGKILL)  # those that are dead are zombies of the nursery until it ends
        process.stdin.close()


def test_a_hundred_saves_that_are_killed_leave_a_hundred_whole_files(nursery: Any) -> None:
    whole = {name: Path(f"{name}.estep").read_bytes() for name in "ab"}
    rng, (begin, seconds) = random.Random(0), nursery
    found = []
    for _ in range(100):
        child = begin("b.estep", "a.estep")
        time.sleep(rng.uniform(0, 3 * seconds))
        os.kill(child, signal.SIGKILL)
        data = Path("model.estep").read_bytes()
        found += [name for name in "ab" if data == whole[name]]
    assert len(found) == 100
    assert set(found) == {"a", "b"}
    assert load("model.estep").loglik_ in (load("a.estep").loglik_, load("b.estep").loglik_)
    left = [path for path in Path().iterdir() if path.name.startswith(".estep-")]
    assert left, "no save was killed between its beginning and its end"


def test_two_processes_that_save_to_one_place_never_mix(nursery: Any) -> None:
    whole = {name: Path(f"{name}.estep").read_bytes() for name in "ab"}
    for name in whole:
        nursery[0](f"{name}.estep")
    names = {data: name for name, data in whole.items()}
    found, until = set(), time.monotonic() + 60
    while found != {"a", "b"} and time.monotonic() < until:
        found |= {names.get(Path("model.estep").read_bytes(), "mixed") for _ in range(200)}
        assert "mixed" not in found
    assert found == {"a", "b"}


def test_the_last_save_to_be_complete_wins(tmp_path: Path) -> None:
    path = tmp_path / "model.estep"
    with replacing(str(path)) as slow:
        slow.write(b"the first to begin, ")
        with replacing(str(path)) as quick:
            quick.write(b"the first to end")
        assert path.read_bytes() == b"the first to end"
        slow.write(b"the last to end")
    assert path.read_bytes() == b"the first to begin, the last to end"
    assert list(tmp_path.iterdir()) == [path]
