"""The steps of one chain over a tile, states side by side in whole registers: up with alpha, down with beta.

`wide` is the number of states rounded up to whole registers; what is beyond k is 0 in densities and matrices.
See `recursions.py` for what is lost on the way, and when that matters.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from estep.kernels.cpu.lanes import ACROSS, I64, Code, Count, Place, Values, loop, routine

LOST = 1e-250
TRUST = 1e-30
LEAST = 1e-50
FAR = 1e-30  # from 1: alpha is brought back there
FAINT, FLOOR = 1e-140, 1e-130  # densities and betas below are not multiplied: subnormals cost 100 times more
SIZES = (8, 4, 2, 1)  # registers of states at a time
APART = 4  # sums that a single register's product is split into, which need not wait for each other


@routine
def ascend(
    code: Code,
    dense: Place,
    n: Count,
    wide: Count,
    rows: Count,
    matrix: Place,
    state: Place,
    size: Place,
    alpha: Place,
    scale: Place,
    sizes: Place,
) -> None:
    """alpha_t = (state @ matrix) * dense_t, what is lost as 0; sizes_t are their sums.

    scale_t is a size over the one before. state is the alpha before, and the last one at the end, of this
    size; it is divided by that where it is under `FAR`, and not at every step, which would have to wait for
    the sum. matrix (rows, wide): the moves, or the one row of the start.
    """
    build = code.builder
    registers = build.sdiv(wide, I64(ACROSS))
    zero, lost, total = code.number(0.0), code.number(LOST), build.alloca(code.vector)

    def step(t: Any, nothing: Values) -> Values:
        here = build.mul(t, wide)
        above, target = build.gep(dense, [here]), build.gep(alpha, [here])
        build.store(zero, total)

        def block(r: Any, count: int) -> None:
            found = _product(code, state, matrix, rows, wide, r, count)
            for v, ahead in enumerate(found):
                place = code.at(above, build.add(r, I64(v)), I64(ACROSS))
                b = code.load(place)
                b = build.select(build.fcmp_ordered("<", b, lost), zero, b)
                u = build.fmul(ahead, b)
                u = build.select(build.fcmp_ordered("<", u, lost), zero, u)  # NaN stays
                code.store(u, code.at(target, build.add(r, I64(v)), I64(ACROSS)))
                build.store(build.fadd(build.load(total), u), total)

        code.parts(registers, SIZES, block)
        _move(code, target, state, registers)
        now = _sum(code, build.load(total))
        build.store(now, build.gep(sizes, [t]))
        build.store(build.fdiv(now, build.load(size)), build.gep(scale, [t]))
        build.store(now, size)
        with build.if_then(build.fcmp_ordered("<", now, now.type(FAR)), likely=False):
            inverse = code.spread(build.fdiv(now.type(1.0), now))

            def divided(r: Any, nothing: Values) -> Values:
                place = code.at(state, r, I64(ACROSS))
                code.store(build.fmul(code.load(place), inverse), place)
                return []

            loop(build, registers, [], divided)
            build.store(now.type(1.0), size)
        return []

    loop(build, n, [], step)


@routine
def descend(
    code: Code,
    dense: Place,
    n: Count,
    wide: Count,
    rows: Count,
    matrix: Place,
    w: Place,
    low: Place,
    alpha: Place,
    scale: Place,
    ahead: Place,
    over: Place,
) -> None:
    """From step n - 1 down: beta = max(w @ matrix, low), and w = dense_t beta / scale_t.

    dense (n, wide) becomes the posterior; `ahead` gets the old w, so scaled that alpha' ahead are expected
    moves but for their probabilities; over[0] counts where beta passes what can be trusted and alpha is 0.
    matrix (rows, wide): the moves from right to left, or ones at the end of a sequence.
    """
    build = code.builder
    registers = build.sdiv(wide, I64(ACROSS))
    zero, one = code.number(0.0), code.number(1.0)
    meeting, faults = build.alloca(code.vector), build.alloca(code.vector)
    build.store(zero, faults)

    def step(i: Any, before: Values) -> Values:
        (floor, _) = before
        t = build.sub(build.sub(n, I64(1)), i)
        here = build.mul(t, wide)
        above, own, beyond = (build.gep(each, [here]) for each in (dense, alpha, ahead))
        c = build.load(build.gep(scale, [t]))
        norm = code.spread(build.fdiv(c.type(1.0), c))
        limit = code.spread(build.fmul(c, c.type(FAR * TRUST / LOST)))
        build.store(zero, meeting)

        def met(r: Any, size: int) -> None:
            found = _product(code, w, matrix, rows, wide, r, size)
            for v, value in enumerate(found):
                at = build.mul(build.add(r, I64(v)), I64(ACROSS))
                beta = build.select(build.fcmp_ordered("<", value, floor), floor, value)
                a = code.load(build.gep(own, [at]))
                code.store(beta, build.gep(beyond, [at]))
                build.store(code.fused(a, beta, build.load(meeting)), meeting)
                unseen = build.fcmp_ordered("==", a, zero)
                past = build.fcmp_unordered(">", beta, limit)
                fault = build.select(build.and_(unseen, past), one, zero)
                build.store(build.fadd(build.load(faults), fault), faults)

        code.parts(registers, SIZES, met)
        d = _sum(code, build.load(meeting))
        back, whole = code.spread(build.fdiv(d.type(1.0), d)), code.spread(d)

        def part(r: Any, nothing: Values) -> Values:
            at = build.mul(r, I64(ACROSS))
            beta, b = code.load(build.gep(beyond, [at])), code.load(build.gep(above, [at]))
            counts = build.or_(
                build.fcmp_ordered(">=", b, code.number(FAINT)), build.fcmp_ordered(">=", beta, one)
            )
            a, old = code.load(build.gep(own, [at])), code.load(build.gep(w, [at]))
            code.store(build.fmul(old, back), build.gep(beyond, [at]))
            code.store(code.quotient(build.fmul(a, beta), whole, back), build.gep(above, [at]))
            following = build.fmul(beta, build.fmul(b, norm))
            code.store(build.select(counts, following, zero), build.gep(w, [at]))
            return []

        loop(build, registers, [], part)
        return [code.fused(code.number(FAINT), norm, code.number(FLOOR)), back]

    lowest, back = loop(build, n, [code.spread(build.load(low)), one], step)
    build.store(build.extract_element(lowest, I64(0)), low)
    build.store(build.fadd(build.load(over), _sum(code, build.load(faults))), over)

    def scaled(r: Any, nothing: Values) -> Values:  # so that rounding does not pile up in the scale of beta
        place = code.at(w, r, I64(ACROSS))
        code.store(build.fmul(code.load(place), back), place)
        return []

    loop(build, registers, [], scaled)


@routine
def divide(code: Code, alpha: Place, n: Count, wide: Count, scale: Place) -> None:
    """Each of n steps of alpha (n, wide) is divided by its sum, which is its scale."""
    build = code.builder
    registers = build.sdiv(wide, I64(ACROSS))

    def step(t: Any, nothing: Values) -> Values:
        here = code.at(alpha, t, wide)

        def more(r: Any, sums: Values) -> Values:
            return [build.fadd(sums[0], code.load(code.at(here, r, I64(ACROSS))))]

        total = _sum(code, loop(build, registers, [code.number(0.0)], more)[0])
        build.store(total, build.gep(scale, [t]))
        inverse = code.spread(build.fdiv(total.type(1.0), total))

        def one(r: Any, nothing: Values) -> Values:
            place = code.at(here, r, I64(ACROSS))
            code.store(build.fmul(code.load(place), inverse), place)
            return []

        loop(build, registers, [], one)
        return []

    loop(build, n, [], step)


@routine
def tally(code: Code, alpha: Place, ahead: Place, n: Count, wide: Count, k: Count, sums: Place) -> None:
    """sums (k, wide) += alpha' ahead of n steps."""
    build = code.builder

    def columns(r: Any, size: int) -> None:
        at = build.mul(r, I64(ACROSS))

        def states(i: Any, count: int) -> None:
            places = [
                code.at(build.gep(code.at(sums, build.add(i, I64(a)), wide), [at]), I64(v), I64(ACROSS))
                for a in range(count)
                for v in range(size)
            ]

            def step(t: Any, held: Values) -> Values:
                here = build.mul(t, wide)
                others = build.gep(ahead, [build.add(here, at)])
                met = [code.load(others, v) for v in range(size)]
                own = [
                    code.spread(build.load(build.gep(alpha, [build.add(here, build.add(i, I64(a)))])))
                    for a in range(count)
                ]
                return [code.fused(own[m // size], met[m % size], held[m]) for m in range(count * size)]

            found = loop(build, n, [code.load(place) for place in places], step)
            for place, value in zip(places, found, strict=True):
                code.store(value, place)

        code.parts(k, (4, 2, 1), states)

    code.parts(build.sdiv(wide, I64(ACROSS)), (2, 1), columns)


def _product(code: Code, state: Any, matrix: Any, rows: Any, wide: Any, r: Any, size: int) -> Values:
    """Registers r to r + size of state (rows,) @ matrix (rows, wide)."""
    build = code.builder
    first = code.at(matrix, r, I64(ACROSS))
    ways = APART if size == 1 else 1  # one register alone would wait for its own sum

    def more(i: Any, sums: Values) -> Values:
        found = []
        for way in range(ways):
            row = build.add(build.mul(i, I64(ways)), I64(way))
            own = code.spread(build.load(build.gep(state, [row])))
            line = code.at(first, row, wide)
            found += [code.fused(own, code.load(line, v), sums[way * size + v]) for v in range(size)]
        return found

    sums = loop(build, build.sdiv(rows, I64(ways)), [code.number(0.0)] * (ways * size), more)
    if ways == 1:
        return sums

    def rest(i: Any, held: Values) -> Values:
        row = build.add(build.mul(build.sdiv(rows, I64(ways)), I64(ways)), i)
        own = code.spread(build.load(build.gep(state, [row])))
        return [code.fused(own, code.load(code.at(first, row, wide)), held[0])]

    sums = [*loop(build, build.srem(rows, I64(ways)), sums[:1], rest), *sums[1:]]
    while len(sums) > 1:
        sums = [build.fadd(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
    return sums


def _sum(code: Code, register: Any) -> Any:
    """The sum of a register's numbers: halves, quarters and so on."""
    build, count = code.builder, code.count
    while count > 1:
        count //= 2
        other = [ir.Constant(ir.IntType(32), count + lane) for lane in range(count)]
        low = [ir.Constant(ir.IntType(32), lane) for lane in range(count)]
        empty = ir.Constant(register.type, ir.Undefined)
        halves = (
            build.shuffle_vector(register, empty, ir.Constant(ir.VectorType(ir.IntType(32), count), places))
            for places in (low, other)
        )
        register = build.fadd(*halves)
    return build.extract_element(register, I64(0))


def _move(code: Code, source: Any, target: Any, registers: Any) -> None:
    def one(r: Any, nothing: Values) -> Values:
        code.store(code.load(code.at(source, r, I64(ACROSS))), code.at(target, r, I64(ACROSS)))
        return []

    loop(code.builder, registers, [], one)
