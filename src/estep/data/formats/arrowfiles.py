"""Parquet and Feather (Arrow IPC) as Arrow tables.

They are validated before a cell is touched: a damaged file may hold offsets that lead out of its memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from estep.data.convert.frames import check_labels
from estep.data.convert.intake import find_columns, listed
from estep.errors import DataError, EstepError

INDEX = re.compile(r"__index_level_\d+__")  # where pandas keeps row labels, which are no variable


def read_parquet(handle: BinaryIO, columns: Sequence[str] | None) -> Any:
    """The table in a Parquet file, without other columns than `columns`, if given."""
    import pyarrow.parquet as pq

    with _damage("Parquet"):
        file = pq.ParquetFile(handle, page_checksum_verification=True)
        wanted = _wanted(file.schema_arrow.names, columns)
        return _checked(file.read(columns=wanted), wanted)


def read_feather(handle: BinaryIO, columns: Sequence[str] | None) -> Any:
    """The table in an Arrow IPC file or stream."""
    import pyarrow as pa

    with _damage("Feather"):
        magic = handle.read(6)
        handle.seek(0)
        if magic.startswith(b"FEA1"):
            raise DataError("this is Feather version 1; write it again as version 2, or as Parquet")
        reader = pa.ipc.open_file(handle) if magic == b"ARROW1" else pa.ipc.open_stream(handle)
        wanted = _wanted(reader.schema.names, columns)
        return _checked(reader.read_all(), wanted)


def read_folder(place: str, columns: Sequence[str] | None) -> Any:
    """The Parquet files of a folder in the order of their paths; its `key=value` folders are columns."""
    import pyarrow.dataset as ds

    root = Path(place)
    files = sorted(_parts(root))
    if not files:
        raise DataError(
            "the folder holds no .parquet files, and none in folders named key=value; give a file, or a "
            "folder of Parquet files"
        )
    with _damage("Parquet"):
        dataset = ds.dataset(
            [str(path) for path in files],
            format="parquet",
            partitioning=ds.partitioning(flavor="hive"),
            partition_base_dir=place,
        )
        first, *others = dataset.get_fragments()
        for part in others:
            if not part.physical_schema.equals(first.physical_schema):
                kinds = [
                    {f"{field.name}: {field.type}" for field in p.physical_schema} for p in (part, first)
                ]
                raise DataError(
                    f"its parts differ in their columns: {part.path} and {first.path} disagree on "
                    f"{listed(sorted(kinds[0] ^ kinds[1])) or 'the order'}; write them with one schema"
                )
        wanted = _wanted(dataset.schema.names, columns)
        return _checked(dataset.to_table(columns=wanted), wanted)


def _parts(folder: Path) -> Iterator[Path]:
    """Its regular Parquet files, and those below in folders named key=value; none that is hidden."""
    for path in folder.iterdir():
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir():
            if "=" in path.name and not path.is_symlink():  # a link may lead round in a circle
                yield from _parts(path)
        elif path.suffix == ".parquet" and path.is_file():
            yield path


def _wanted(names: Sequence[str], columns: Sequence[str] | None) -> list[str]:
    check_labels(names)
    if columns is None:
        return [name for name in names if not INDEX.fullmatch(name)]
    return list(find_columns(columns, names))


def _checked(table: Any, wanted: list[str]) -> Any:
    table = table.select(wanted)
    table.validate(full=True)
    return table


@contextmanager
def _damage(kind: str) -> Iterator[None]:
    """Errors of the Arrow library as errors of this package."""
    import pyarrow as pa

    try:
        yield
    except (EstepError, MemoryError):
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk's error, not the file's
            raise
        what = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"it cannot be read as {kind}: {what}; it may be damaged or encrypted; write it again"
        ) from error
