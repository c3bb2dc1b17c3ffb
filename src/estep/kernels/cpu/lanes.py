"""Inner loops on whole vector registers, as LLVM instructions: what a compiler does not find by itself.

Rows come in strips of `ROWS` = 3 registers of numbers, so that a strip of a matrix, (rows of the matrix,
ROWS), is one run in memory. Three operations act on strips, each an outer product held in registers:

    product   out (J, ROWS) += left (J, p) @ strip (p, ROWS)        J x 3 registers
    dots      out (J, Q)    += strip (J, ROWS) @ strip (Q, ROWS)'   J x Q registers, summed over many strips
    outer     out (q, ROWS)  = one row of a strip * each of q rows

An element is the same chain of fused additions whatever stands beside it, so the number of components and
their order change no bit. float32 strips have twice the rows; `dots` adds to float64 in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic as _intrinsic

WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))  # 32 registers of 64 bytes
BYTES = 64 if WIDE else 32
DEEP = 8 if WIDE else 4  # rows of `product` at most: 3 * DEEP registers of sums, and a few for the factors
ACROSS = BYTES // 8  # Q of `dots`: sums of one row of it fill a register
HIGH = 2  # J of `dots` at most
SPAN = 3  # registers of a strip's row
ROWS = SPAN * BYTES // 8  # of float64

intrinsic: Any = _intrinsic  # untyped
I32, I64 = ir.IntType(32), ir.IntType(64)
Values = Sequence[Any]


class Code:
    """LLVM instructions for registers of one element type."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.builder = builder
        single = dtype == types.float32
        self.size = 4 if single else 8
        self.count = BYTES // self.size
        self.vector = ir.VectorType(ir.FloatType() if single else ir.DoubleType(), self.count)
        name = f"llvm.fmuladd.v{self.count}f{8 * self.size}"
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        self._fused = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

    def at(self, pointer: Any, row: Any, stride: Any) -> Any:
        return self.builder.gep(pointer, [self.builder.mul(row, stride)])

    def row(self, pointer: Any, i: Any) -> Any:
        """Row i of a strip."""
        return self.at(pointer, i, I64(SPAN * self.count))

    def load(self, pointer: Any, register: int = 0) -> Any:
        return self.builder.load(self._wide(pointer, register), align=self.size)

    def store(self, value: Any, pointer: Any, register: int = 0) -> None:
        self.builder.store(value, self._wide(pointer, register), align=self.size)

    def spread(self, one: Any) -> Any:
        """A register filled with one number."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, one, I32(0))
        return self.builder.shuffle_vector(one, empty, _lanes([0] * self.count))

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        return self.builder.call(self._fused, [a, b, c])

    def fold(self, parts: Values) -> Any:
        """The sums of each of `ACROSS` registers, as one float64 register."""
        parts = list(parts)
        width = self.count // 2
        while len(parts) > 1:  # neighbours are folded into one register, half the lanes each
            parts = [self._halves(a, b, width) for a, b in zip(parts[::2], parts[1::2], strict=True)]
            width //= 2
        total = parts[0]
        if self.size == 4:
            even, odd = (_lanes(range(i, self.count, 2)) for i in (0, 1))
            total = self.builder.fadd(*(self.builder.shuffle_vector(total, total, p) for p in (even, odd)))
            total = self.builder.fpext(total, ir.VectorType(ir.DoubleType(), ACROSS))
        return total

    def _halves(self, a: Any, b: Any, width: int) -> Any:
        """Of two registers, each made of groups of 2 * width lanes: groups of `width` sums, a's then b's."""
        groups = range(0, self.count, 2 * width)
        places = [group + i for group in groups for i in range(width)]
        places += [self.count + place for place in places]
        low = self.builder.shuffle_vector(a, b, _lanes(places))
        high = self.builder.shuffle_vector(a, b, _lanes([place + width for place in places]))
        return self.builder.fadd(low, high)

    def _wide(self, pointer: Any, register: int) -> Any:
        pointer = self.builder.gep(pointer, [I64(register * self.count)])
        return self.builder.bitcast(pointer, self.vector.as_pointer())


def _lanes(places: Any) -> Any:
    places = list(places)
    return ir.Constant(ir.VectorType(I32, len(places)), places)


def loop(builder: Any, count: Any, carried: Values, body: Callable[[Any, Values], Values]) -> Values:
    """What `body(i, values)` makes of `carried`, for i = 0, 1, ... below count, in registers all the way."""
    before, head = builder.block, builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", count, I64(0)), head, after)
    builder.position_at_end(head)
    i = builder.phi(I64)
    values = [builder.phi(value.type) for value in carried]
    found = body(i, values)
    end, following = builder.block, builder.add(i, I64(1))
    builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    for phi, first, later in zip([i, *values], [I64(0), *carried], [following, *found], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, end)
    builder.position_at_end(after)
    left = [builder.phi(value.type) for value in carried]
    for phi, first, later in zip(left, carried, found, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, end)
    return left


def start(context: Any, builder: Any, kinds: Values, args: Values, i: int) -> Any:
    """The pointer to the number at place args[i + 1] of the array args[i]."""
    data = context.make_array(kinds[i])(context, builder, args[i]).data
    return builder.gep(data, [args[i + 1]])


def _product(deep: int) -> Any:
    """An intrinsic: out (deep, ROWS) += left (deep, p) @ strip (p, ROWS); rows of left are `stride` apart."""

    def typed(
        typing: Any, left: Any, a: Any, stride: Any, strip: Any, b: Any, p: Any, out: Any, c: Any
    ) -> Any:
        whole = types.int64

        def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
            code = Code(builder, signature.args[0].dtype)
            lefts, strips, outs = (start(context, builder, signature.args, args, i) for i in (0, 3, 6))
            lines = [code.at(lefts, I64(j), args[2]) for j in range(deep)]
            targets = [(code.row(outs, I64(j)), v) for j in range(deep) for v in range(SPAN)]

            def body(i: Any, sums: Values) -> Values:
                row = code.row(strips, i)
                factors = [code.load(row, v) for v in range(SPAN)]
                spread = [code.spread(builder.load(builder.gep(line, [i]))) for line in lines]
                return [code.fused(spread[n // SPAN], factors[n % SPAN], s) for n, s in enumerate(sums)]

            sums = loop(builder, args[5], [code.load(*target) for target in targets], body)
            for value, target in zip(sums, targets, strict=True):
                code.store(value, *target)
            return context.get_dummy_value()

        return types.void(left, whole, whole, strip, whole, whole, out, whole), generate

    return intrinsic(typed)


def _dots(high: int) -> Any:
    """An intrinsic: out (high, ACROSS) += the sum over strips of one (high, ROWS) @ other (ACROSS, ROWS)'.

    Strips of `one` are `step` numbers apart, those of `other` `stride`, rows of `out` `apart`.
    """

    def typed(
        typing: Any,
        one: Any,
        a: Any,
        step: Any,
        other: Any,
        b: Any,
        stride: Any,
        strips: Any,
        out: Any,
        c: Any,
        apart: Any,
    ) -> Any:
        whole = types.int64

        def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
            code = Code(builder, signature.args[0].dtype)
            ones, others, outs = (start(context, builder, signature.args, args, i) for i in (0, 3, 7))
            zero = ir.Constant(code.vector, [0.0] * code.count)

            def body(i: Any, sums: Values) -> Values:
                first, second = code.at(ones, i, args[2]), code.at(others, i, args[5])
                for v in range(SPAN):
                    held = [code.load(code.row(first, I64(j)), v) for j in range(high)]
                    met = [code.load(code.row(second, I64(q)), v) for q in range(ACROSS)]
                    sums = [code.fused(held[n // ACROSS], met[n % ACROSS], s) for n, s in enumerate(sums)]
                return sums

            sums = loop(builder, args[6], [zero] * (high * ACROSS), body)
            double = Code(builder, types.float64)
            for j in range(high):
                target = code.at(outs, I64(j), args[9])
                found = code.fold(sums[j * ACROSS : (j + 1) * ACROSS])
                double.store(builder.fadd(double.load(target), found), target)
            return context.get_dummy_value()

        return types.void(one, whole, whole, other, whole, whole, whole, out, whole, whole), generate

    return intrinsic(typed)


def _outer(typing: Any, row: Any, a: Any, strip: Any, b: Any, q: Any, out: Any, c: Any) -> Any:
    """out (q, ROWS) = one row * each of q rows of a strip."""
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
        code = Code(builder, signature.args[0].dtype)
        ones, strips, outs = (start(context, builder, signature.args, args, i) for i in (0, 2, 5))
        held = [code.load(ones, v) for v in range(SPAN)]

        def body(i: Any, nothing: Values) -> Values:
            source, target = code.row(strips, i), code.row(outs, i)
            for v in range(SPAN):
                code.store(builder.fmul(held[v], code.load(source, v)), target, v)
            return []

        loop(builder, args[4], [], body)
        return context.get_dummy_value()

    return types.void(row, whole, strip, whole, whole, out, whole), generate


def _squares(typing: Any, strip: Any, a: Any, q: Any, out: Any, b: Any) -> Any:
    """out (q, ROWS) = the squares of q rows of a strip."""
    whole = types.int64

    def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
        code = Code(builder, signature.args[0].dtype)
        strips, outs = (start(context, builder, signature.args, args, i) for i in (0, 3))

        def body(i: Any, nothing: Values) -> Values:
            source, target = code.row(strips, i), code.row(outs, i)
            for v in range(SPAN):
                value = code.load(source, v)
                code.store(builder.fmul(value, value), target, v)
            return []

        loop(builder, args[2], [], body)
        return context.get_dummy_value()

    return types.void(strip, whole, whole, out, whole), generate


def _rows_of(typing: Any, array: Any) -> Any:
    """Rows of a strip of this array's numbers, as a constant that loops are unrolled by."""

    def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
        return I64(SPAN * Code(builder, signature.args[0].dtype).count)

    return types.int64(array), generate


product8, product4, product2, product1 = (_product(min(deep, DEEP)) for deep in (8, 4, 2, 1))
dots2, dots1 = (_dots(high) for high in (2, 1))
outer, squares, rows_of = (intrinsic(each) for each in (_outer, _squares, _rows_of))
