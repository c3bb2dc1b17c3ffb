"""How many threads a command uses, in the engine and in the readers of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Use so many threads inside; None leaves all as it is."""
    if threads is None:
        yield
        return
    import pyarrow as pa

    from estep.run import limited

    before = pa.cpu_count()
    pa.set_cpu_count(threads)
    try:
        with limited(threads):
            yield
    finally:
        pa.set_cpu_count(before)
