"""Many sequences of a hidden Markov chain: those of like length side by side, the others one by one.

A batch holds up to a strip's sequences in falling order of length. Sequences too long for a batch's room, and
those that find too few others of their length, are left to `recursions.py`.
"""

from __future__ import annotations

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import ROWS, SPAN
from estep.kernels.cpu.lifting import lift, log_of, lower
from estep.kernels.cpu.passes import SMALL
from estep.kernels.cpu.recursions import ONE, ZERO
from estep.kernels.cpu.sides import ascend_side, descend_side
from estep.kernels.cpu.strips import gather
from estep.records import Array, Int

IN_LOGS, ALONE = 1, 2  # what is left to do of a sequence
# what a step of a batch costs, however many lanes are filled, and a call for a sequence alone: in rows of one
STEP, CALL = 20, 120
ROOM = 2**18  # numbers of a batch, at most: what a core's own cache holds


def longest_of(k: int, wide: int) -> int:
    """Steps of the longest sequence that a batch has room for."""
    return ROOM // (ROWS * (2 * k + wide + 1))


def room_of(k: int, wide: int, steps: int) -> int:
    """Numbers that `smooth` needs room for, with sequences of so many steps."""
    return ROWS * (steps * (2 * k + wide + 1) + 3 * k + 3) + steps + 1


@jit
def batch(
    k: int,
    wide: int,
    m: int,
    steps: int,
    beside: Array,
    at: Int,
    spans: Int,
    weights: Array,
    logs: Array,
    loglik: Array,
    out: Array,
    total: Array,
    room: Array,
) -> int:
    """Smooth the sequences that begin at rows `at` and have `spans` rows, 0 for none, at most `steps`.

    How many cannot be; of these spans becomes -1, and then nothing is added to total.
    """
    size, tall = k * ROWS, wide * ROWS
    alpha = size  # the strip before it stands for the start
    dense = alpha + steps * size
    ahead = dense + steps * size
    scale = ahead + steps * tall
    beta = scale + steps * ROWS
    w = beta + size
    bad, long, heavy = w + size, w + size + ROWS, w + size + 2 * ROWS
    by = heavy + ROWS
    least = by + steps
    for i in range(size):
        room[i], room[w + i] = (1.0 if i < ROWS else 0.0), 0.0
    for i in range(ahead, scale):  # of no state
        room[i] = 0.0
    for s in range(ROWS):
        room[bad + s], room[long + s], room[heavy + s] = 0.0, float(spans[s]), weights[s]
        lift(logs, at[s], m, k, spans[s], loglik, at[s], room, dense + s, size, ROWS)
        for t in range(spans[s], steps):
            for j in range(k):
                room[dense + t * size + j * ROWS + s] = 1.0
    first, moves, back = ZERO, k * k, 2 * k * k
    ascend_side(ONE, k, beside, first, room, dense, room, ZERO, room, scale, room, bad)
    ascend_side(steps - 1, k, beside, back, room, dense + size, room, alpha, room, scale + ROWS, room, bad)
    faults = _marked(spans, room, bad)
    if faults > 0:
        return faults
    descend_side(
        steps, k, wide, beside, moves, room, dense, room, alpha, room, scale, room, long, room, heavy,
        room, beta, room, w, room, ahead, room, bad,
    )  # fmt: skip
    faults = _marked(spans, room, bad)
    if faults > 0:
        return faults
    gather(room, alpha, size, k, room, ahead, tall, k, steps, total, ZERO, wide)
    log_of(room, scale, steps * SPAN)
    room[least] = SMALL
    for s in range(ROWS):
        for t in range(spans[s]):
            room[by + t] = weights[s]
            loglik[at[s] + t] += room[scale + t * ROWS + s]
        lower(room, dense + s, size, ROWS, spans[s], k, room, by, ONE, room, least, out, at[s], m)
    return 0


@jit
def _marked(spans: Int, room: Array, bad: int) -> int:
    """How many sequences are marked at room[bad:]; their spans become -1."""
    count = 0
    for s in range(ROWS):
        if room[bad + s] > 0.0 and spans[s] > 0:
            spans[s] = -1
            count += 1
    return count


@jit
def smooth(
    k: int,
    wide: int,
    m: int,
    limit: int,
    beside: Array,
    edges: Int,
    order: Int,
    weights: Array,
    logs: Array,
    loglik: Array,
    out: Array,
    total: Array,
    left: Int,
    at: Int,
    spans: Int,
    heavy: Array,
    room: Array,
) -> None:
    """Of every sequence of a block: loglik (m,), weighted posteriors (k, m) into out, moves (k, wide).

    `order` has the sequences from the longest to the shortest; beside is the start as the first column of
    (k, k), the moves and their transpose. left (s,) becomes IN_LOGS of those that scaling cannot do, ALONE of
    those above the limit or with too few others. at, spans (ROWS,) and heavy are room. Arrays are flat.
    """
    count, n = order.size, 0
    while n < count:
        steps, rows, full = edges[order[n] + 1] - edges[order[n]], 0, min(ROWS, count - n)
        for s in range(full):
            rows += edges[order[n + s] + 1] - edges[order[n + s]]
        if steps > limit or STEP * steps > rows + CALL * full:
            left[order[n]] = ALONE
            n += 1
            continue
        again = True
        while again:
            for s in range(ROWS):
                here = order[n + min(s, full - 1)]
                at[s], spans[s], heavy[s] = edges[here], 0, 0.0
                if s < full and left[here] == 0:
                    spans[s], heavy[s] = edges[here + 1] - edges[here], weights[here]
            again = batch(k, wide, m, steps, beside, at, spans, heavy, logs, loglik, out, total, room) > 0
            for s in range(full):
                if spans[s] < 0:
                    left[order[n + s]] = IN_LOGS
        n += full
