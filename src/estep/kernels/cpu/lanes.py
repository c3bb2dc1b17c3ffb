"""How inner loops on whole vector registers are written, as LLVM instructions.

Rows come in strips of `ROWS` = 3 registers of numbers, so that a strip of a matrix, (rows of the matrix,
ROWS), is one run in memory; float32 strips have twice the rows. A `routine` is a loop over strips: compiled
code calls it as a function, and it takes a tenth of the time to compile that the same loop in Python takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import Annotated, Any, get_type_hints

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic as _intrinsic

WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))  # 32 registers of 64 bytes
BYTES = 64 if WIDE else 32
ACROSS = BYTES // 8  # float64 numbers of a register
SPAN = 3  # registers of a strip's row
ROWS = SPAN * BYTES // 8  # of float64

intrinsic: Any = _intrinsic  # untyped
Place = Annotated[Any, "place"]  # of a routine: a pointer; the caller gives an array and an index
Count = Annotated[Any, "count"]  # of a routine: a whole number
I32, I64 = ir.IntType(32), ir.IntType(64)
Values = Sequence[Any]


class Code:
    """LLVM instructions for registers of one element type."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.builder, self.dtype = builder, dtype
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

    def scalar(self, value: float) -> Any:
        return ir.Constant(self.vector.element, value)

    def number(self, value: float) -> Any:
        return ir.Constant(self.vector, [value] * self.count)

    def spread(self, one: Any) -> Any:
        """A register filled with one number."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, one, I32(0))
        return self.builder.shuffle_vector(one, empty, _lanes([0] * self.count))

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        return self.builder.call(self._fused, [a, b, c])

    def quotient(self, p: Any, d: Any, inverse: Any) -> Any:
        """p / d from the inverse of d, with what its rounding left mended: exactly 1 of d / d."""
        near = self.builder.fmul(p, inverse)
        return self.fused(self.fused(self.builder.fneg(near), d, p), inverse, near)

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

    def strips(self, count: Any) -> Any:
        """How many strips hold `count` rows."""
        rows = I64(SPAN * self.count)
        return self.builder.sdiv(self.builder.add(count, I64(SPAN * self.count - 1)), rows)

    def each(self, count: Any, value: Callable[[Any, int], Any], out: Any) -> None:
        """Rows i = 0, ... of a strip `out` become value(i, register)."""

        def one(i: Any, nothing: Values) -> Values:
            row = self.row(out, i)
            for v in range(SPAN):
                self.store(value(i, v), row, v)
            return []

        loop(self.builder, count, [], one)

    def copy(self, source: Any, target: Any, count: Any) -> None:
        def one(i: Any, nothing: Values) -> Values:
            value = self.builder.load(self.builder.gep(source, [i]))
            self.builder.store(value, self.builder.gep(target, [i]))
            return []

        loop(self.builder, count, [], one)

    def parts(self, count: Any, sizes: Sequence[int], block: Callable[[Any, int], None]) -> None:
        """block(j, size) for as many of the first size as fit into `count`, then for the others once at most.

        Sizes are powers of 2 down to 1, each half of the one before.
        """
        build, most = self.builder, I64(sizes[0])

        def one(i: Any, nothing: Values) -> Values:
            block(build.mul(i, most), sizes[0])
            return []

        whole = build.sdiv(count, most)
        loop(build, whole, [], one)
        done = build.mul(whole, most)
        for size in sizes[1:]:
            fits = build.icmp_signed(">=", build.sub(count, done), I64(size))
            with build.if_then(fits):
                block(done, size)
            done = build.select(fits, build.add(done, I64(size)), done)

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


def routine(emit: Callable[..., None]) -> Any:
    """What compiled code calls to run the instructions of emit(code, ...), a function of their own.

    Parameters beyond `code` are annotated `Place` or `Count`; code's numbers are of the first array's type.
    """
    hints = get_type_hints(emit, include_extras=True)
    kinds = [hint for name, hint in hints.items() if name not in ("code", "return")]
    wanted = sum(2 if kind is Place else 1 for kind in kinds)

    def typed(typing: Any, *given: Any) -> Any:
        arrays = [kind for kind in given if isinstance(kind, types.Array)]
        name = ".".join(["estep", emit.__name__, *(str(array.dtype) for array in arrays)])

        def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
            values, rest = [], list(zip(signature.args, args, strict=True))
            for kind in kinds:
                own, value = rest.pop(0)
                if kind is Place:
                    data = context.make_array(own)(context, builder, value).data
                    value = builder.gep(data, [rest.pop(0)[1]])
                values.append(value)
            _call(builder, name, emit, arrays[0].dtype, values)
            return context.get_dummy_value()

        whole = [kind if isinstance(kind, types.Array) else types.int64 for kind in given]
        return types.void(*whole), generate

    named = [Parameter(f"p{i}", Parameter.POSITIONAL_OR_KEYWORD) for i in range(1 + wanted)]
    # numba asks a function's signature, which may not be *given; mypy knows no such attribute
    typed.__signature__ = Signature(named)  # type: ignore[attr-defined]
    typed.__name__ = emit.__name__
    found = intrinsic(typed)
    found.emit = emit  # for a routine made of others, in its own loops

    def call(code: Code, *values: Any) -> None:
        """The same from another routine's instructions, as a call."""
        places = [str(code.dtype)] * kinds.count(Place)
        _call(code.builder, ".".join(["estep", emit.__name__, *places]), emit, code.dtype, values)

    found.call = call
    return found


def _call(builder: Any, name: str, emit: Callable[..., None], dtype: Any, values: Values) -> None:
    """Call the function of this name, which `emit` writes where the module has none."""
    function = builder.module.globals.get(name)
    if function is None:
        shape = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = ir.Function(builder.module, shape, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        emit(Code(inside, dtype), *function.args)
        inside.ret_void()
    builder.call(function, list(values))


def _count_of(number: int) -> Any:
    """An intrinsic: `number` for each register of this array's numbers, as a constant."""

    def typed(typing: Any, array: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Values) -> Any:
            return I64(number * Code(builder, signature.args[0].dtype).count)

        return types.int64(array), generate

    return intrinsic(typed)


rows_of = _count_of(SPAN)  # rows of a strip
