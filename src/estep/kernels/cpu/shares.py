"""From joint log-densities to responsibilities, whole registers at a time.

exp(x) = 2^n exp(r), n = rint(x / log 2), |r| <= log(2)/2, by a polynomial and the two-part logarithm of 2 of
Cody & Waite (1980); log(s) = n log 2 + 2 artanh((m - 1) / (m + 1)) with s = 2^n m, for s >= 1, where nothing
cancels. Both within 2 units in the last place of their type.
"""

from __future__ import annotations

from math import factorial
from typing import Any, NamedTuple

from llvmlite import ir

from estep.kernels.cpu.lanes import I64, SPAN, Code, Count, Place, Values, loop, routine


class _Numbers(NamedTuple):
    """What differs between the types."""

    lowest: float  # where exp is taken to be 0
    high: float  # log 2: its product with any exponent is exact
    low: float  # what is left of log 2
    magic: float  # added, it leaves a whole number in the last bits
    one: int  # bits of 1.0
    shift: int  # bits of the mantissa
    exp_terms: int
    log_terms: int


DOUBLE = _Numbers(
    -708.0, 6.93145751953125e-1, 1.42860682030941723212e-6, 1.5 * 2.0**52, 1023 << 52, 52, 14, 11
)
SINGLE = _Numbers(-87.0, 6.93359375e-1, -2.12194440e-4, 1.5 * 2.0**23, 127 << 23, 23, 8, 5)


class Maths(Code):
    """exp and log of registers."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        super().__init__(builder, dtype)
        self.numbers = SINGLE if self.size == 4 else DOUBLE
        self.whole = ir.VectorType(ir.IntType(8 * self.size), self.count)

    def bits(self, value: int) -> Any:
        return ir.Constant(self.whole, [value] * self.count)

    def larger(self, a: Any, b: Any) -> Any:
        return self.builder.select(self.builder.fcmp_ordered(">", b, a), b, a)

    def horner(self, coefficients: list[float], x: Any) -> Any:
        value = self.number(coefficients[0])
        for each in coefficients[1:]:
            value = self.fused(value, x, self.number(each))
        return value

    def exp(self, x: Any) -> Any:
        """exp(x) of x <= 0."""
        build, known = self.builder, self.numbers
        held = self.larger(self.number(known.lowest), x)
        magic = self.number(known.magic)
        shifted = self.fused(held, self.number(1.4426950408889634), magic)
        n = build.fsub(shifted, magic)
        r = self.fused(n, self.number(-known.high), held)
        r = self.fused(n, self.number(-known.low), r)
        p = self.horner([1.0 / factorial(i) for i in reversed(range(known.exp_terms))], r)
        power = build.shl(build.bitcast(shifted, self.whole), self.bits(known.shift))
        scale = build.bitcast(build.add(power, self.bits(known.one)), self.vector)
        inside = build.fcmp_ordered(">=", x, self.number(known.lowest))
        return build.select(inside, build.fmul(p, scale), self.number(0.0))

    def log(self, s: Any) -> Any:
        """log(s) of s >= 1."""
        build, known = self.builder, self.numbers
        # 2^n sqrt(1/2) <= s < 2^n sqrt(2): the bits of sqrt(1/2) are taken off, so that n can be read
        bits = build.bitcast(s, self.whole)
        half = 0x3FE6A09E667F3BCD if self.size == 8 else 0x3F3504F3
        moved = build.sub(bits, self.bits(half))
        power = build.ashr(moved, self.bits(known.shift))
        m = build.bitcast(build.sub(bits, build.shl(power, self.bits(known.shift))), self.vector)
        magic_bits = build.bitcast(self.number(known.magic), self.whole)
        n = build.fsub(build.bitcast(build.add(magic_bits, power), self.vector), self.number(known.magic))
        f = build.fdiv(build.fsub(m, self.number(1.0)), build.fadd(m, self.number(1.0)))
        p = self.horner([2.0 / (2 * i + 1) for i in reversed(range(known.log_terms))], build.fmul(f, f))
        low = self.fused(p, f, build.fmul(n, self.number(known.low)))
        return self.fused(n, self.number(known.high), low)

    def load_double(self, pointer: Any, register: int) -> Any:
        """As many float64 numbers as a register has lanes, in its type."""
        value = self.doubles(pointer, register)
        return value if self.size == 8 else self.builder.fptrunc(value, self.vector)

    def widened(self, value: Any) -> Any:
        return value if self.size == 8 else self.builder.fpext(value, self._double)

    def doubles(self, pointer: Any, register: int) -> Any:
        return self.builder.load(self._doubles(pointer, register), align=8)

    def store_doubles(self, value: Any, pointer: Any, register: int) -> None:
        self.builder.store(value, self._doubles(pointer, register), align=8)

    @property
    def _double(self) -> Any:
        return ir.VectorType(ir.DoubleType(), self.count)

    def _doubles(self, pointer: Any, register: int) -> Any:
        pointer = self.builder.gep(pointer, [I64(register * self.count)])
        return self.builder.bitcast(pointer, self._double.as_pointer())


@routine
def share_out(
    code: Code, joint: Place, k: Count, constant: Place, weights: Place, strips: Count, terms: Place
) -> None:
    """Strips joint (k, rows) + constant (k,) become weight * p(j | row); terms grow.

    By w log p(row), a number for each lane of a register, then by |w log p(row)|. A row that is impossible
    under every component has log p -inf and equal shares; one of weight 0 counts for nothing, even so.
    """
    maths = Maths(code.builder, code.dtype)

    def one(s: Any, sums: Values) -> Values:
        strip, rows = maths.row(joint, maths.builder.mul(s, k)), maths.builder.mul(s, I64(SPAN * maths.count))
        return _share(maths, strip, k, constant, maths.builder.gep(weights, [rows]), sums)

    found = loop(code.builder, strips, [maths.doubles(terms, n) for n in (0, 1)], one)
    for n, value in enumerate(found):
        maths.store_doubles(value, terms, n)


def _share(code: Maths, strip: Any, k: Any, constant: Any, weights: Any, sums: Values) -> Values:
    """`share_out` of one strip: the sums of terms with those of its rows."""
    builder, span = code.builder, range(SPAN)

    def highest(j: Any, top: Values) -> Values:
        line = code.row(strip, j)
        one = builder.load(builder.gep(constant, [j]))
        more = code.spread(one if code.size == 8 else builder.fptrunc(one, ir.FloatType()))
        found = [builder.fadd(code.load(line, v), more) for v in span]
        for v in span:
            code.store(found[v], line, v)
        return [code.larger(t, value) for t, value in zip(top, found, strict=True)]

    none = code.number(float("-inf"))
    top = loop(builder, k, [none] * SPAN, highest)
    possible = [builder.fcmp_ordered(">", t, none) for t in top]
    held = [builder.select(p, t, code.number(0.0)) for p, t in zip(possible, top, strict=True)]

    def raised(j: Any, total: Values) -> Values:
        line = code.row(strip, j)
        found = [code.exp(builder.fsub(code.load(line, v), held[v])) for v in span]
        for v in span:
            code.store(found[v], line, v)
        return [builder.fadd(t, value) for t, value in zip(total, found, strict=True)]

    total = loop(builder, k, [code.number(0.0)] * SPAN, raised)
    number = code.vector.element
    part = code.spread(builder.fdiv(number(1.0), builder.sitofp(k, number)))
    factors, equal = [], []
    for v in span:
        weight = code.load_double(weights, v)
        factors.append(builder.fdiv(weight, total[v]))
        equal.append(builder.fmul(weight, part))
        found = builder.select(possible[v], builder.fadd(held[v], code.log(total[v])), top[v])
        counts = builder.fcmp_ordered(">", weight, code.number(0.0))
        term = builder.select(counts, builder.fmul(weight, found), code.number(0.0))
        size = builder.select(builder.fcmp_ordered("<", term, code.number(0.0)), builder.fneg(term), term)
        sums = [builder.fadd(s, code.widened(each)) for s, each in zip(sums, (term, size), strict=True)]

    def scaled(j: Any, nothing: Values) -> Values:
        line = code.row(strip, j)
        for v in span:
            value = builder.fmul(code.load(line, v), factors[v])
            code.store(builder.select(possible[v], value, equal[v]), line, v)
        return []

    loop(builder, k, [], scaled)
    return sums
