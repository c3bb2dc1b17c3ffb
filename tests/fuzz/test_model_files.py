"""Some seconds of the fuzzer of model files; `model_files.py` has run a million mutants."""

from __future__ import annotations

import random

from fuzz.model_files import SEEDS, mutant, run


def test_damaged_files_are_refused_or_can_be_asked() -> None:
    ends = run(1000, seed=1)
    assert sum(ends.values()) == 1000
    assert ends["loaded"] > 20  # the fuzzer gets past the checksum, and past all that is checked behind it
    assert sum("checksum" in end for end in ends) == 1
    assert len(ends) > 30


def test_a_seed_gives_the_same_mutants() -> None:
    first, second = ([mutant(random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second
    assert any(data not in SEEDS for _, data, _ in first)
