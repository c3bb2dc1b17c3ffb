"""A first look at the bytes of a CSV file: what would be misread is refused here, with its line.

A parser takes a quote that is never closed for one long cell, and rows vanish without a word. So the quotes
are checked first: each must stand beside a separator, a line end or another quote, and have a partner.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO, NamedTuple

import numpy as np

from estep.data.formats.csvheader import HEADER_LIMIT, read_names
from estep.errors import DataError

CHUNK = 2**20  # bytes
MAGIC = {
    b"PAR1": "a Parquet file; give it the suffix .parquet",
    b"ARROW1": "a Feather file; give it the suffix .feather",
    b"\x1f\x8b": "a gzip file; decompress it first",
    b"PK\x03\x04": "a zip file or a spreadsheet; save it as CSV first",
}
QUOTE, CR, LF = b'"\r\n'


class Scan(NamedTuple):
    """What the first look finds."""

    names: tuple[str, ...]
    quoted: bool  # some cell is in quotes, and so may hold a line end


def scan(handle: BinaryIO, separator: str) -> Scan:
    """Check every byte of a seekable file of UTF-8 text, and read its header. Leaves it at its start."""
    handle.seek(0)
    head = handle.read(HEADER_LIMIT)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError("the file is UTF-16; save it as UTF-8")
    handle.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
    text, quotes, line = _Text(), _Quotes(separator), 1
    while chunk := handle.read(CHUNK):
        if b"\x00" in chunk:
            _refuse_binary(head, line + chunk[: chunk.index(b"\x00")].count(b"\n"))
        text.feed(chunk, line)
        quotes.feed(chunk, line)
        line += chunk.count(b"\n")
    text.feed(b"", line, last=True)
    quotes.end()
    handle.seek(0)
    return Scan(read_names(head, separator), quotes.count > 0)


class _Text:
    """Whether the bytes are UTF-8."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.between = True  # no character is cut by the end of the chunk before

    def feed(self, chunk: bytes, line: int, *, last: bool = False) -> None:
        if self.between and chunk.isascii():  # a hundred times as fast as decoding
            return
        try:
            self.decoder.decode(chunk, last)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            byte = error.object[error.start]
            raise DataError(
                f"line {line} is not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8, for instance by "
                "iconv -f latin1 -t utf-8"
            ) from error
        self.between = not self.decoder.getstate()[0]


class _Quotes:
    """Whether quotes come in pairs, around whole cells."""

    def __init__(self, separator: str) -> None:
        self.count = 0
        self.beside = (ord(separator), QUOTE, CR, LF)
        self.before = LF  # the byte before the chunk
        self.opened = 1  # the line of the last opening quote
        self.closed_last = False  # the chunk before ended in a closing quote

    def feed(self, chunk: bytes, line: int) -> None:
        if self.closed_last and chunk[0] not in self.beside:
            self._refuse(self.opened)
        self.closed_last = False
        if QUOTE in chunk:
            padded = np.frombuffer(bytes([self.before]) + chunk + b"\n", dtype=np.uint8)
            at = np.flatnonzero(padded[1:-1] == QUOTE)
            closing = (self.count + np.arange(at.size)) % 2 == 1
            # what stands outside: before an opening quote, after a closing one
            wrong = np.flatnonzero(~np.isin(padded[at + 2 * closing], self.beside))
            opening = at[~closing]
            if wrong.size:
                opening = opening[opening <= at[wrong[0]]]
            if opening.size:
                self.opened = line + chunk[: int(opening[-1])].count(b"\n")
            if wrong.size:
                self._refuse(self.opened)
            self.count += at.size
            self.closed_last = bool(closing[-1] and at[-1] == len(chunk) - 1)
        self.before = chunk[-1]

    def end(self) -> None:
        if self.count % 2:
            raise DataError(f"the quote opened in line {self.opened} is never closed; close it or remove it")

    @staticmethod
    def _refuse(line: int) -> None:
        raise DataError(
            f"line {line}: a quote inside a cell, or one that is not closed; put quotes around a whole cell, "
            'right beside the separators, and a quote within it is written twice ("")'
        )


def _refuse_binary(head: bytes, line: int) -> None:
    found = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    raise DataError(
        f"this is {found}"
        if found
        else f"line {line} holds a NUL byte: the file is binary or UTF-16; give CSV saved as UTF-8"
    )
