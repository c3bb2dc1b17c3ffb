"""A pass over one sequence, or a part of it, tile by tile: the whole of `recursions.py` as LLVM instructions.

Written in Python for Numba, the same loops would take a first fit seconds to compile.
"""

from __future__ import annotations

from typing import Any

from estep.kernels.cpu.lanes import ACROSS, I64, Code, Count, Place, Values, loop, routine
from estep.kernels.cpu.lifting import fetch, lift, log_of, lower
from estep.kernels.cpu.walks import LEAST, ascend, descend, divide, tally
from estep.records import Array

TILE = 120  # steps, in whole registers; a power of two would have its strides fall on few sets of the cache
SMALL = 1e-70  # expected counts below are none
# what is beyond the rows of `down`: a part done before; nothing; or another side, whose last move is its own
MORE, NOTHING, ANOTHER = 0, 1, 2


def room_of(k: int, wide: int) -> int:
    """Numbers that `up` and `down` need room for."""
    return 3 * TILE * wide + wide + 3 * TILE + 4 + k * wide


def state_of(room: Array, wide: int) -> tuple[Array, Array]:
    """Where `room` holds the state, (wide,), and its size and the floor of beta, (2,)."""
    begin = 3 * TILE * wide
    return room[begin : begin + wide], room[begin + wide + 3 * TILE :][:2]


class _Room:
    """The parts of `room`, in the order of `room_of`."""

    def __init__(self, code: Code, room: Any, wide: Any) -> None:
        build = code.builder
        tile = build.mul(wide, I64(TILE))
        self.dense, self.alpha = room, build.gep(room, [tile])
        self.ahead = build.gep(self.alpha, [tile])
        self.state = build.gep(self.ahead, [tile])
        self.top = build.gep(self.state, [wide])
        self.scale = build.gep(self.top, [I64(TILE)])
        self.by = build.gep(self.scale, [I64(TILE)])
        self.size = build.gep(self.by, [I64(TILE)])
        self.low, self.over, self.least, self.sums = (build.gep(self.size, [I64(i)]) for i in (1, 2, 3, 4))


class _Tiles:
    """The rows from first to last, or backwards, in tiles: where each begins, and how it lies in room."""

    def __init__(self, code: Code, wide: Any, first: Any, last: Any, backwards: Any) -> None:
        build = self.build = code.builder
        self.wide, self.first, self.last, self.tile = wide, first, last, I64(TILE)
        self.turned = build.icmp_signed("!=", backwards, I64(0))
        self.rows = build.sub(last, first)
        self.count = build.sdiv(build.add(self.rows, I64(TILE - 1)), I64(TILE))
        self.step = build.select(self.turned, build.neg(wide), wide)  # from row to row
        self.one = build.select(self.turned, I64(-1), I64(1))

    def at(self, i: Any) -> tuple[Any, Any, Any]:
        """The first row of tile i, its rows, and its last step, or 0, where its first row lies."""
        build = self.build
        before = build.mul(i, self.tile)
        left = build.sub(self.rows, before)
        n = build.select(build.icmp_signed("<", left, self.tile), left, self.tile)
        a = build.select(
            self.turned, build.sub(build.sub(self.last, before), n), build.add(self.first, before)
        )
        return a, n, build.select(self.turned, build.sub(n, I64(1)), I64(0))


@routine
def ascent(
    code: Code,
    k: Count,
    wide: Count,
    m: Count,
    first: Count,
    last: Count,
    backwards: Count,
    begins: Count,
    chain: Place,
    logs: Place,
    out: Place,
    room: Place,
    bad: Place,
) -> None:
    """`up`, with the number of scales that are too small in bad."""
    build, one, zero = code.builder, I64(1), code.scalar(0.0)
    parts, tiles = _Room(code, room, wide), _Tiles(code, wide, first, last, backwards)
    moves = build.gep(chain, [build.mul(wide, I64(2))])
    matrix = build.select(tiles.turned, code.at(moves, k, wide), moves)
    head = build.select(tiles.turned, build.gep(chain, [wide]), chain)
    fresh = build.icmp_signed("!=", begins, I64(0))
    _fill(code, parts.dense, build.mul(wide, I64(2 * TILE)), 0.0)  # densities and alphas of no state
    build.store(zero, parts.least)
    build.store(zero, bad)
    with build.if_then(fresh):
        _begin(code, parts, wide)
        build.store(zero.type(1.0), parts.size)

    def tile(i: Any, nothing: Values) -> Values:
        a, n, turned = tiles.at(i)
        start = build.mul(turned, wide)
        here = build.gep(parts.dense, [start])
        lift.call(code, build.gep(logs, [a]), m, k, n, parts.top, here, tiles.step, one)
        starts = build.and_(fresh, build.icmp_signed("==", i, I64(0)))
        with build.if_then(starts):
            ascend.call(
                code, parts.dense, one, wide, one, head, parts.state, parts.size, parts.alpha, parts.scale,
                parts.by,
            )  # fmt: skip
        begun = build.zext(starts, n.type)
        dense, alpha = (code.at(each, begun, wide) for each in (parts.dense, parts.alpha))
        ascend.call(
            code, dense, build.sub(n, begun), wide, k, matrix, parts.state, parts.size, alpha,
            build.gep(parts.scale, [begun]), build.gep(parts.by, [begun]),
        )  # fmt: skip

        def scaled(t: Any, faults: Values) -> Values:
            c, place = build.load(build.gep(parts.scale, [t])), build.gep(parts.by, [t])
            build.store(build.fdiv(c, build.load(place)), place)
            little = build.fcmp_unordered("<", c, c.type(LEAST))
            return [build.fadd(faults[0], build.select(little, c.type(1.0), c.type(0.0)))]

        build.store(loop(build, n, [build.load(bad)], scaled)[0], bad)
        lower.call(
            code, build.gep(parts.alpha, [start]), tiles.step, one, n, k, build.gep(parts.by, [turned]),
            tiles.one, parts.least, build.gep(out, [a]), m,
        )  # fmt: skip
        return []

    loop(build, tiles.count, [], tile)


@routine
def descent(
    code: Code,
    k: Count,
    wide: Count,
    m: Count,
    first: Count,
    last: Count,
    backwards: Count,
    beyond: Count,
    weight: Place,
    chain: Place,
    logs: Place,
    loglik: Place,
    out: Place,
    total: Place,
    room: Place,
    bad: Place,
) -> None:
    """`down`, with the number of states that are not to be trusted in bad."""
    build, one, zero = code.builder, I64(1), code.scalar(0.0)
    parts, tiles = _Room(code, room, wide), _Tiles(code, wide, first, last, backwards)
    moves = build.gep(chain, [build.mul(wide, I64(2))])
    matrix = build.select(tiles.turned, moves, code.at(moves, k, wide))
    heavy = build.load(weight)
    _fill(code, parts.sums, build.mul(k, wide), 0.0)
    _fill(code, parts.by, I64(TILE), heavy)
    build.store(zero, parts.over)
    build.store(zero.type(SMALL), parts.least)

    def tile(back: Any, nothing: Values) -> Values:
        i = build.sub(build.sub(tiles.count, one), back)
        a, n, turned = tiles.at(i)
        start = build.mul(turned, wide)
        here = build.gep(parts.dense, [start])
        lift.call(code, build.gep(logs, [a]), m, k, n, parts.top, here, tiles.step, one)
        fetch.call(code, build.gep(out, [a]), m, k, n, build.gep(parts.alpha, [start]), tiles.step)
        divide.call(code, parts.alpha, n, wide, parts.scale)
        first_of = build.icmp_signed("==", back, I64(0))
        ends = build.and_(first_of, build.icmp_signed("==", beyond, I64(NOTHING)))
        begun = build.sub(n, build.zext(ends, n.type))
        last_step = code.at(parts.ahead, build.sub(n, one), wide)
        with build.if_then(ends):
            _begin(code, parts, wide)
            build.store(zero, parts.low)
            dense, alpha = (code.at(each, begun, wide) for each in (parts.dense, parts.alpha))
            descend.call(
                code, dense, one, wide, one, build.gep(chain, [wide]), parts.state, parts.low, alpha,
                build.gep(parts.scale, [begun]), last_step, parts.over,
            )  # fmt: skip
            _fill(code, last_step, wide, 0.0)
        descend.call(
            code, parts.dense, begun, wide, k, matrix, parts.state, parts.low, parts.alpha, parts.scale,
            parts.ahead, parts.over,
        )  # fmt: skip
        with build.if_then(build.and_(first_of, build.icmp_signed("==", beyond, I64(ANOTHER)))):
            _fill(code, last_step, wide, 0.0)
        tally.call(code, parts.alpha, parts.ahead, n, wide, k, parts.sums)
        lower.call(code, here, tiles.step, one, n, k, parts.by, one, parts.least, build.gep(out, [a]), m)
        log_of.call(code, parts.scale, build.sdiv(build.add(n, I64(ACROSS - 1)), I64(ACROSS)))
        own = build.gep(parts.scale, [turned])

        def row(t: Any, nothing: Values) -> Values:
            value = build.fadd(build.load(build.gep(parts.top, [t])), build.load(code.at(own, t, tiles.one)))
            build.store(value, build.gep(loglik, [build.add(a, t)]))
            return []

        return loop(build, n, [], row)

    loop(build, tiles.count, [], tile)

    def add(i: Any, nothing: Values) -> Values:
        place = build.gep(total, [i])
        more = build.fmul(heavy, build.load(build.gep(parts.sums, [i])))
        build.store(build.fadd(build.load(place), more), place)
        return []

    sound = build.fcmp_ordered("==", build.load(parts.over), zero)
    loop(build, build.select(sound, build.mul(k, wide), I64(0)), [], add)
    build.store(build.load(parts.over), bad)


def _fill(code: Code, place: Any, count: Any, value: Any) -> None:
    held = code.scalar(value) if isinstance(value, float) else value

    def one(i: Any, nothing: Values) -> Values:
        code.builder.store(held, code.builder.gep(place, [i]))
        return []

    loop(code.builder, count, [], one)


def _begin(code: Code, parts: _Room, wide: Any) -> None:
    """The state that a head of one row is multiplied by."""
    _fill(code, parts.state, wide, 0.0)
    code.builder.store(code.scalar(1.0), parts.state)
