"""Between rows of log-densities and the tiles that a chain's recursions walk over.

A tile holds a number for each step and state, `over_time` and `over_states` apart: those of one sequence,
state by state, or those of a lane among others.
"""

from __future__ import annotations

from typing import Any

from estep.kernels.cpu.lanes import ACROSS, I64, Code, Count, Place, Values, loop, routine
from estep.kernels.cpu.shares import Maths


@routine
def lift(
    code: Code,
    logs: Place,
    apart: Count,
    k: Count,
    n: Count,
    top: Place,
    out: Place,
    over_time: Count,
    over_states: Count,
) -> None:
    """out = exp(logs - top) of n rows, and the largest of each, top; 0 only where logs are -inf."""
    maths = Maths(code.builder, code.dtype)
    build = maths.builder

    def rows(t: Any, load: Any, count: int) -> None:
        none = maths.number(float("-inf"))
        largest = loop(build, k, [none], lambda j, held: [maths.larger(held[0], load(j))])[0]
        base = build.select(build.fcmp_ordered(">", largest, none), largest, maths.number(0.0))
        here = code.at(out, t, over_time)
        _scatter(maths, largest, build.gep(top, [t]), I64(1), count)

        def state(j: Any, nothing: Values) -> Values:
            x = build.fsub(load(j), base)
            e = maths.exp(maths.larger(maths.number(maths.numbers.lowest), x))
            e = build.select(build.fcmp_ordered("==", x, none), maths.number(0.0), e)
            e = build.select(build.fcmp_unordered("uno", x, x), x, e)
            _scatter(maths, e, code.at(here, j, over_states), over_time, count)
            return []

        loop(build, k, [], state)

    def whole(i: Any, nothing: Values) -> Values:
        t = build.mul(i, I64(ACROSS))
        rows(t, lambda j: maths.load(build.gep(code.at(logs, j, apart), [t])), ACROSS)
        return []

    registers = build.sdiv(n, I64(ACROSS))
    loop(build, registers, [], whole)
    done = build.mul(registers, I64(ACROSS))

    def rest(i: Any, nothing: Values) -> Values:
        t = build.add(done, i)
        rows(t, lambda j: maths.spread(build.load(build.gep(code.at(logs, j, apart), [t]))), 1)
        return []

    loop(build, build.sub(n, done), [], rest)


@routine
def lower(
    code: Code,
    tile: Place,
    over_time: Count,
    over_states: Count,
    n: Count,
    k: Count,
    by: Place,
    over_by: Count,
    least: Place,
    out: Place,
    apart: Count,
) -> None:
    """Lines out (k, n), `apart`, of n steps of a tile, each times its own of `by`; under `least` 0."""
    build = code.builder
    limit = build.load(least)

    def state(j: Any, nothing: Values) -> Values:
        source, target = code.at(tile, j, over_states), code.at(out, j, apart)

        def step(t: Any, nothing: Values) -> Values:
            value = build.load(code.at(source, t, over_time))
            kept = build.select(build.fcmp_ordered(">=", value, limit), value, value.type(0.0))
            build.store(build.fmul(kept, build.load(code.at(by, t, over_by))), build.gep(target, [t]))
            return []

        return loop(build, n, [], step)

    loop(build, k, [], state)


@routine
def fetch(code: Code, lines: Place, apart: Count, k: Count, n: Count, tile: Place, over_time: Count) -> None:
    """A tile (n, over_time) of n steps of k lines, `apart`."""
    build = code.builder

    def state(j: Any, nothing: Values) -> Values:
        source, target = code.at(lines, j, apart), build.gep(tile, [j])

        def step(t: Any, nothing: Values) -> Values:
            build.store(build.load(build.gep(source, [t])), code.at(target, t, over_time))
            return []

        return loop(build, n, [], step)

    loop(build, k, [], state)


@routine
def log_of(code: Code, numbers: Place, registers: Count) -> None:
    """Whole registers of positive numbers become their logarithms."""
    maths = Maths(code.builder, code.dtype)

    def one(i: Any, nothing: Values) -> Values:
        place = maths.at(numbers, i, I64(maths.count))
        maths.store(maths.log(maths.load(place)), place)
        return []

    loop(code.builder, registers, [], one)


def _scatter(code: Code, register: Any, place: Any, apart: Any, count: int) -> None:
    """The first `count` numbers of a register, `apart`."""
    for lane in range(count):
        one = code.builder.extract_element(register, I64(lane))
        code.builder.store(one, code.at(place, I64(lane), apart))
