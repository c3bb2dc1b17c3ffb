"""Routines on tiles of strips: laying rows out, features, and the two matrix products over them.

Row r of strip s of a tile of `high` rows stands at (s * high + r) * rows, where `rows` is what a strip has of
the data's. An element is the same chain of fused additions whatever stands beside it, so the number of
components and their order change no bit. Products with sums add to float64, of float32 strips too.
"""

from __future__ import annotations

from typing import Any

from numba import types

from estep.kernels.cpu.lanes import ACROSS, I64, SPAN, WIDE, Code, Count, Place, Values, loop, routine

PAD = ACROSS  # `gather` takes so many features at once: a strip has room for as many zeros
DEEP = 8 if WIDE else 4  # rows of `multiply` at a time: 3 * DEEP registers of sums, and a few for the factors
SIZES = tuple(size for size in (8, 4, 2, 1) if size <= DEEP)


@routine
def lay(code: Code, values: Place, apart: Count, count: Count, d: Count, out: Place, high: Count) -> None:
    """Strips out (d, rows), `high` rows each, of d lines of `count` values, `apart`; zeros beyond them."""
    build, rows = code.builder, I64(SPAN * code.count)
    whole, zero = build.sdiv(count, rows), code.number(0.0)
    left = build.srem(count, rows)

    def line(a: Any, nothing: Values) -> Values:  # line by line, for the sake of the processor's look ahead
        source, target = code.at(values, a, apart), code.row(out, a)

        def strip(s: Any, places: Values) -> Values:
            for v in range(SPAN):
                code.store(code.load(places[0], v), places[1], v)
            return [build.gep(places[0], [rows]), code.row(places[1], high)]

        source, target = loop(build, whole, [source, target], strip)
        with build.if_then(build.icmp_signed(">", left, I64(0))):
            for v in range(SPAN):
                code.store(zero, target, v)
            code.copy(source, target, left)
        return []

    loop(build, d, [], line)


@routine
def take(code: Code, strips: Place, high: Count, count: Count, k: Count, out: Place, apart: Count) -> None:
    """The other way: k lines of `count` numbers, `apart`, from the first k rows of strips (high, rows)."""
    build, rows = code.builder, I64(SPAN * code.count)

    def strip(s: Any, nothing: Values) -> Values:
        begin = build.mul(s, rows)
        left = build.sub(count, begin)
        here = build.select(build.icmp_signed("<", left, rows), left, rows)

        def line(j: Any, nothing: Values) -> Values:
            source = code.row(code.at(strips, s, build.mul(high, rows)), j)
            code.copy(source, build.gep(code.at(out, j, apart), [begin]), here)
            return []

        return loop(build, k, [], line)

    loop(build, code.strips(count), [], strip)


@routine
def clear(code: Code, out: Place, count: Count) -> None:
    """`count` rows of a strip become 0."""
    zero = code.number(0.0)
    code.each(count, lambda i, v: zero, out)


@routine
def outer(code: Code, row: Place, strip: Place, q: Count, out: Place) -> None:
    """out (q, rows) = one row * each of q rows of a strip."""
    held = [code.load(row, v) for v in range(SPAN)]
    code.each(q, lambda i, v: code.builder.fmul(held[v], code.load(code.row(strip, i), v)), out)


@routine
def squares(code: Code, strip: Place, d: Count, out: Place) -> None:
    """out (d, rows) = the squares of d rows of a strip."""

    def square(i: Any, v: int) -> Any:
        value = code.load(code.row(strip, i), v)
        return code.builder.fmul(value, value)

    code.each(d, square, out)


@routine
def length(code: Code, strip: Place, d: Count, out: Place) -> None:
    """out (1, rows) = the sum of the squares of d rows of a strip."""

    def add(i: Any, sums: Values) -> Values:
        values = [code.load(code.row(strip, i), v) for v in range(SPAN)]
        return [code.fused(value, value, total) for value, total in zip(values, sums, strict=True)]

    for v, total in enumerate(loop(code.builder, d, [code.number(0.0)] * SPAN, add)):
        code.store(total, out, v)


@routine
def inner(code: Code, strip: Place, other: Place, d: Count, out: Place) -> None:
    """out (1, rows) = the sum of the products of d rows of two strips."""

    def add(i: Any, sums: Values) -> Values:
        one, two = code.row(strip, i), code.row(other, i)
        return [code.fused(code.load(one, v), code.load(two, v), s) for v, s in enumerate(sums)]

    for v, total in enumerate(loop(code.builder, d, [code.number(0.0)] * SPAN, add)):
        code.store(total, out, v)


@routine
def total(code: Code, strip: Place, k: Count, out: Place) -> None:
    """out (1, rows) = the sum of k rows of a strip."""

    def add(i: Any, sums: Values) -> Values:
        row = code.row(strip, i)
        return [code.builder.fadd(s, code.load(row, v)) for v, s in enumerate(sums)]

    for v, each in enumerate(loop(code.builder, k, [code.number(0.0)] * SPAN, add)):
        code.store(each, out, v)


@routine
def shift(code: Code, strip: Place, less: Place, d: Count, out: Place) -> None:
    """out (d, rows) = d rows of a strip, less the d numbers `less`."""
    code.each(d, lambda a, v: code.builder.fsub(code.load(code.row(strip, a), v), _own(code, less, a)), out)


@routine
def scale(code: Code, strip: Place, by: Place, d: Count, out: Place) -> None:
    """out (d, rows) = d rows of a strip, each times its own of the d numbers `by`."""
    code.each(d, lambda a, v: code.builder.fmul(code.load(code.row(strip, a), v), _own(code, by, a)), out)


def _own(code: Code, numbers: Any, a: Any) -> Any:
    """A register filled with the number of row a."""
    return code.spread(code.builder.load(code.builder.gep(numbers, [a])))


@routine
def subtract(code: Code, row: Place, k: Count, out: Place) -> None:
    """out (k, rows) -= one row."""
    held = [code.load(row, v) for v in range(SPAN)]
    code.each(k, lambda j, v: code.builder.fsub(code.load(code.row(out, j), v), held[v]), out)


@routine
def multiply(
    code: Code,
    left: Place,
    apart: Count,
    k: Count,
    strip: Place,
    step: Count,
    p: Count,
    strips: Count,
    out: Place,
    far: Count,
) -> None:
    """Strips out (k, rows) += left (k, p) @ strips (p, rows).

    Lines of `left` are `apart`, strips of the right side `step` and strips of `out` `far`.
    """
    build = code.builder

    def block(j: Any, size: int) -> None:
        lines = [code.at(left, build.add(j, I64(i)), apart) for i in range(size)]

        def one(s: Any, nothing: Values) -> Values:
            first = code.at(strip, s, step)
            rows = [code.row(code.at(out, s, far), build.add(j, I64(i))) for i in range(size)]
            targets = [(row, v) for row in rows for v in range(SPAN)]

            def more(i: Any, sums: Values) -> Values:
                row = code.row(first, i)
                factors = [code.load(row, v) for v in range(SPAN)]
                spread = [code.spread(build.load(build.gep(line, [i]))) for line in lines]
                return [code.fused(spread[n // SPAN], factors[n % SPAN], s) for n, s in enumerate(sums)]

            found = loop(build, p, [code.load(*target) for target in targets], more)
            for value, target in zip(found, targets, strict=True):
                code.store(value, *target)
            return []

        loop(build, strips, [], one)

    code.parts(k, SIZES, block)


@routine
def gather(
    code: Code,
    one: Place,
    far: Count,
    k: Count,
    other: Place,
    step: Count,
    p: Count,
    strips: Count,
    out: Place,
    apart: Count,
) -> None:
    """out (k, p) += the sum over strips of one (k, rows) @ other (p, rows)'; lines of `out` are `apart`.

    Strips of `one` are `far` apart, those of `other` `step`. The last `PAD` of p are whole: other has zeros
    there, and out has room.
    """
    build = code.builder
    double = Code(build, types.float64)
    wide = I64(PAD)

    def columns(c: Any, nothing: Values) -> Values:
        q = build.mul(c, wide)

        def block(j: Any, size: int) -> None:
            def more(s: Any, sums: Values) -> Values:
                first, second = code.row(code.at(one, s, far), j), code.row(code.at(other, s, step), q)
                for v in range(SPAN):
                    held = [code.load(code.row(first, I64(i)), v) for i in range(size)]
                    met = [code.load(code.row(second, I64(i)), v) for i in range(PAD)]
                    sums = [code.fused(held[n // PAD], met[n % PAD], s) for n, s in enumerate(sums)]
                return sums

            found = loop(build, strips, [code.number(0.0)] * (size * PAD), more)
            for i in range(size):
                target = build.gep(code.at(out, build.add(j, I64(i)), apart), [q])
                folded = code.fold(found[i * PAD : (i + 1) * PAD])
                double.store(build.fadd(double.load(target), folded), target)

        code.parts(k, (2, 1), block)
        return []

    loop(build, build.sdiv(build.add(p, I64(PAD - 1)), wide), [], columns)
