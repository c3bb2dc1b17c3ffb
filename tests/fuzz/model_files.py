"""Random damage to model files: `PYTHONPATH=tests python tests/fuzz/model_files.py COUNT [SEED]`.

A mutant of a golden file is refused by a `ModelFileError`, or it is loaded and can be asked. Any other
exception, more than `SECONDS` of computing, or more than `BYTES` of memory held at once ends the run with the
mutant and its number. Half of the mutants are sealed again, header length and checksum, so that what lies
behind the checksum is reached; one in 16 is measured and asked.
"""

from __future__ import annotations

import hashlib
import random
import re
import resource
import signal
import struct
import sys
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from golden import FOLDER

from estep.errors import EstepError, ModelFileError
from estep.estimators.saved.rebuild import rebuilt
from estep.io import decode

SECONDS = 10
BYTES = 2**21  # a golden file has some 2000 bytes
SEEDS = [path.read_bytes() for path in sorted(FOLDER.glob("*/*.estep"))]
SUM = re.compile(rb'"sha256\\":\\"([0-9a-f]{64})\\"')
TOKEN = re.compile(rb'\\"[^"\\]*\\"|"[^"\\]*"|-?\d[\d.e+-]*|true|false|null|[\[\]{}:,]')
NAMES = "", "inf", "dict", "tuple", "EM", "Normal", "MAX_ITER", "Simplex", "array", "é"
WORDS = [
    *(b"0", b"-1", b"1", b"2", b"1.5", b"-0.0", b"5e-324", b"1e308", b"1e400", b"NaN", b"Infinity", b"null"),
    *(b"4294967296", b"9223372036854775808", b"18446744073709551616", b"9" * 400, b"[" * 300, b"1e-400"),
    *(b"true", b"false", b"[]", b"{}", b"[[]]", b",", b'""', b'"F32"', b'"I64"'),
    *(f'\\"{name}\\"'.encode() for name in NAMES),
]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 5e-324, 1e-160, 1e160, 1.7e308, float("inf"), float("nan")]


def mutant(rng: random.Random) -> tuple[bytes, bytes, bool]:
    """The file it comes from, the damaged file, and whether it was sealed again."""
    seed = rng.choice(SEEDS)
    length = int.from_bytes(seed[:8], "little")
    head, body = seed[8 : 8 + length], seed[8 + length :]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        damage = rng.random()
        if damage < 0.4:
            head = _token(rng, head)
        elif damage < 0.6:
            body = _number(rng, body)
        elif damage < 0.8:
            head = _bytes(rng, head)
        else:
            body = _bytes(rng, body)
    if rng.random() < 0.5:
        return seed, _sealed(head, body), True
    prefix = seed[:8] if rng.random() < 0.8 else rng.randbytes(rng.randrange(9))
    return seed, prefix + head + body, False


def _token(rng: random.Random, text: bytes) -> bytes:
    """Another word, or no word, in the place of a word of the header."""
    old, other = (TOKEN.search(text, rng.randrange(len(text) + 1)) for _ in range(2))
    if old is None or other is None:
        return text
    new = rng.choice((rng.choice(WORDS), rng.choice(WORDS), other[0], b"", old[0] * 2))
    return text[: old.start()] + new + text[old.end() :]


def _number(rng: random.Random, body: bytes) -> bytes:
    """Another number in the place of one of an array."""
    if len(body) < 8:
        return body
    at = 8 * rng.randrange(len(body) // 8)
    return body[:at] + struct.pack("<d", rng.choice(FLOATS)) + body[at + 8 :]


def _bytes(rng: random.Random, data: bytes) -> bytes:
    """A bit, a byte or a span that is flipped, changed, cut out, doubled, moved or added."""
    a, b = sorted(rng.choices(range(len(data) + 1), k=2))
    b = min(b, a + rng.choice((1, 1, 2, 8, 100, 10**9)))
    span = data[a:b]
    flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in span[:1]) + span[1:]
    other = rng.choice(SEEDS)
    start = rng.randrange(len(other))
    new = rng.choice((flipped, flipped, rng.randbytes(len(span)), b"", span * 2, other[start : start + 40]))
    return data[:a] + new + data[b:]


def _sealed(head: bytes, body: bytes) -> bytes:
    data = len(head).to_bytes(8, "little") + head + body
    found = SUM.search(data)
    if found is None:
        return data
    at = found.start(1)
    zeroed = data[:at] + b"0" * 64 + data[at + 64 :]
    return data[:at] + hashlib.sha256(zeroed).hexdigest().encode() + data[at + 64 :]


def run(count: int, seed: int = 0) -> Counter[str]:
    """So many mutants; how many of them ended in which way."""
    ends: Counter[str] = Counter()
    rng = random.Random(seed)
    with _watched():
        for i in range(count):
            origin, data, sealed = mutant(rng)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                end, estimator = _loaded(data, measured=i % 16 == 0)
                assert estimator is None or sealed or data == origin, "damage that the checksum does not see"
                if estimator is not None and i % 16 == 0:
                    end = _asked(estimator)
            except BaseException as error:
                raise AssertionError(f"mutant {i} of seed {seed}, {data!r}: {error!r}") from error
            ends[end] += 1
    return ends


def _loaded(data: bytes, *, measured: bool) -> tuple[str, Any]:
    if measured:
        tracemalloc.start()
    try:
        estimator: Any = rebuilt(decode(data))
        end = "loaded"
    except ModelFileError as error:
        estimator, said = None, str(error)
        assert said.isprintable(), "what is in a file is shown to a terminal"
        assert len(said) < 1000
        end = "refused: " + re.sub(r"'[^']*'|\d+", "_", said)[:40]
    if measured:
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert held < BYTES, f"{held} bytes"
    return end, estimator


def _asked(estimator: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # a forged number may be so large that its square is not
        estimator.summary()
        if type(estimator).__name__ == "EM":  # whose functions are not in the file
            return "loaded and told"
        try:
            estimator.score_samples([[1.0] * estimator.n_features_in_])
        except EstepError:
            return "loaded and told, a row refused"
    return "loaded, told, and a row scored"


@contextmanager
def _watched() -> Iterator[None]:
    def late(*_: Any) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds of computing")

    before = signal.signal(signal.SIGPROF, late)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    lines = [f"{n:>9} {end}" for end, n in run(count, seed).most_common()]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write("\n".join([*lines, f"{count} mutants, seed {seed}; at most {most} MiB", ""]))


if __name__ == "__main__":
    main()
