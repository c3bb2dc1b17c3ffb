"""From joint log-densities to responsibilities, whole registers at a time.

exp(x) = 2^n exp(r), n = rint(x / log 2), |r| <= log(2)/2, by a polynomial and the two-part logarithm of 2 of
Cody & Waite (1980); log(s) = n log 2 + 2 artanh((m - 1) / (m + 1)) with s = 2^n m, for s >= 1, where nothing
cancels. Both within 2 units in the last place of their type.
"""

from __future__ import annotations

from math import factorial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types

from estep.kernels.cpu.lanes import SPAN, Code, Values, intrinsic, loop, start

I64 = ir.IntType(64)


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


class _Maths(Code):
    """exp and log of registers."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        super().__init__(builder, dtype)
        self.numbers = SINGLE if self.size == 4 else DOUBLE
        self.whole = ir.VectorType(ir.IntType(8 * self.size), self.count)

    def number(self, value: float) -> Any:
        return ir.Constant(self.vector, [value] * self.count)

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


def _lanes_of(typing: Any, array: Any) -> Any:
    """Lanes of a register of this array's numbers: `share` keeps two sums by lane, one after the other."""

    def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
        return I64(Code(builder, signature.args[0].dtype).count)

    return types.int64(array), generate


def _share(
    typing: Any, joint: Any, a: Any, k: Any, constant: Any, b: Any, weights: Any, c: Any, terms: Any, d: Any
) -> Any:
    """One strip joint (k, ROWS) + constant (k,) becomes weight * p(j | row); terms, see `lanes_of`, grow.

    By w log p(row) and |w log p(row)|. A row that is impossible under every component has log p -inf and
    equal shares; one of weight 0 counts for nothing, even so.
    """
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
        code = _Maths(builder, signature.args[0].dtype)
        lines, constants, heavy, out = (
            start(context, builder, signature.args, args, i) for i in (0, 3, 5, 7)
        )
        span, count = range(SPAN), args[2]

        def highest(j: Any, top: Values) -> Values:
            line = code.row(lines, j)
            one = builder.load(builder.gep(constants, [j]))
            more = code.spread(one if code.size == 8 else builder.fptrunc(one, ir.FloatType()))
            found = [builder.fadd(code.load(line, v), more) for v in span]
            for v in span:
                code.store(found[v], line, v)
            return [code.larger(t, value) for t, value in zip(top, found, strict=True)]

        none = code.number(float("-inf"))
        top = loop(builder, count, [none] * SPAN, highest)
        possible = [builder.fcmp_ordered(">", t, none) for t in top]
        held = [builder.select(p, t, code.number(0.0)) for p, t in zip(possible, top, strict=True)]

        def raised(j: Any, total: Values) -> Values:
            line = code.row(lines, j)
            found = [code.exp(builder.fsub(code.load(line, v), held[v])) for v in span]
            for v in span:
                code.store(found[v], line, v)
            return [builder.fadd(t, value) for t, value in zip(total, found, strict=True)]

        total = loop(builder, count, [code.number(0.0)] * SPAN, raised)
        parts = builder.sitofp(count, code.vector.element)
        factors, equal = [], []
        sums = [code.doubles(out, 0), code.doubles(out, 1)]
        for v in span:
            weight = code.load_double(heavy, v)
            factors.append(builder.fdiv(weight, total[v]))
            equal.append(builder.fdiv(weight, code.spread(parts)))
            found = builder.select(possible[v], builder.fadd(held[v], code.log(total[v])), top[v])
            counts = builder.fcmp_ordered(">", weight, code.number(0.0))
            term = builder.select(counts, builder.fmul(weight, found), code.number(0.0))
            size = builder.select(builder.fcmp_ordered("<", term, code.number(0.0)), builder.fneg(term), term)
            for n, each in enumerate((term, size)):
                sums[n] = builder.fadd(sums[n], code.widened(each))
        for n in (0, 1):
            code.store_doubles(sums[n], out, n)

        def scaled(j: Any, nothing: Values) -> Values:
            line = code.row(lines, j)
            for v in span:
                value = builder.fmul(code.load(line, v), factors[v])
                code.store(builder.select(possible[v], value, equal[v]), line, v)
            return []

        loop(builder, count, [], scaled)
        return context.get_dummy_value()

    return types.void(joint, whole, whole, constant, whole, weights, whole, terms, whole), generate


lanes_of, share = intrinsic(_lanes_of), intrinsic(_share)
