"""The steps of many chains side by side: a strip has a row for each state, and in it a number for each chain.

`ROWS` chains make a strip; one that has ended, or is none, has densities of 1, and what is computed for it is
finite and has no weight. See `recursions.py` for what is lost on the way, and when that matters.
"""

from __future__ import annotations

from typing import Any

from estep.kernels.cpu.lanes import I64, SPAN, Code, Count, Place, Values, loop, routine
from estep.kernels.cpu.strips import clear, multiply
from estep.kernels.cpu.walks import FAINT, FLOOR, LEAST, LOST, TRUST


@routine
def ascend_side(
    code: Code, steps: Count, k: Count, matrix: Place, dense: Place, alpha: Place, scale: Place, bad: Place
) -> None:
    """alpha_t = (matrix @ alpha_t-1) * dense_t / scale_t for `steps` strips after the first of alpha.

    matrix (k, k): the moves from right to left. scale (steps, rows) is what makes alpha sum to 1; bad (rows)
    counts where it is too little.
    """
    build, rows = code.builder, I64(SPAN * code.count)
    zero, one = code.number(0.0), code.number(1.0)
    size = build.mul(k, rows)

    def step(t: Any, faults: Values) -> Values:
        before = code.at(alpha, t, size)
        here, density = build.gep(before, [size]), code.at(dense, t, size)
        clear.emit(code, here, k)
        multiply.emit(code, matrix, k, k, before, size, k, I64(1), here, size)

        def grown(j: Any, total: Values) -> Values:
            found = []
            for v in range(SPAN):
                b = code.load(code.row(density, j), v)
                b = build.select(build.fcmp_ordered("<", b, code.number(LOST)), zero, b)
                u = build.fmul(code.load(code.row(here, j), v), b)
                u = build.select(build.fcmp_ordered("<", u, code.number(LOST)), zero, u)  # NaN stays
                code.store(u, code.row(here, j), v)
                found.append(build.fadd(total[v], u))
            return found

        total = loop(build, k, [zero] * SPAN, grown)
        inverse = [build.fdiv(one, c) for c in total]
        code.each(k, lambda j, v: build.fmul(code.load(code.row(here, j), v), inverse[v]), here)
        for v, c in enumerate(total):
            code.store(c, code.at(scale, t, rows), v)
        little = [build.fcmp_unordered("<", c, code.number(LEAST)) for c in total]
        return [build.fadd(f, build.select(each, one, zero)) for f, each in zip(faults, little, strict=True)]

    for v, found in enumerate(loop(build, steps, [code.load(bad, v) for v in range(SPAN)], step)):
        code.store(found, bad, v)


@routine
def descend_side(
    code: Code,
    steps: Count,
    k: Count,
    high: Count,
    matrix: Place,
    dense: Place,
    alpha: Place,
    scale: Place,
    spans: Place,
    weights: Place,
    beta: Place,
    w: Place,
    ahead: Place,
    bad: Place,
) -> None:
    """From the last of `steps` strips down: beta = max(matrix @ w, its floor), and w = dense beta / scale.

    dense becomes the posterior; `ahead`, strips of `high` rows, gets the old w, so scaled that alpha' ahead
    are expected moves but for their probabilities, with weights in it; bad (rows) counts where beta passes
    what can be trusted and alpha is 0. spans (rows) are the chains' lengths; beta and w are (k, rows), w 0.
    """
    build, rows = code.builder, I64(SPAN * code.count)
    zero, one = code.number(0.0), code.number(1.0)
    size, far = build.mul(k, rows), build.mul(high, rows)
    own = [code.load(weights, v) for v in range(SPAN)]
    last = [build.fsub(code.load(spans, v), one) for v in range(SPAN)]

    def step(i: Any, held: Values) -> Values:
        floors, faults = held[:SPAN], held[SPAN:]
        t = build.sub(build.sub(steps, I64(1)), i)
        density, past, beyond = code.at(dense, t, size), code.at(alpha, t, size), code.at(ahead, t, far)
        now = code.spread(build.sitofp(t, code.vector.element))
        ended = [build.fcmp_ordered("<=", each, now) for each in last]
        c = [code.load(code.at(scale, t, rows), v) for v in range(SPAN)]
        norm = [build.fdiv(one, each) for each in c]
        limit = [build.fmul(each, code.number(TRUST / LOST)) for each in c]
        clear.emit(code, beta, k)
        multiply.emit(code, matrix, k, k, w, size, k, I64(1), beta, size)

        def met(j: Any, sums: Values) -> Values:
            found, more = [], []
            for v in range(SPAN):
                value = build.select(ended[v], one, code.load(code.row(beta, j), v))
                value = build.select(build.fcmp_ordered("<", value, floors[v]), floors[v], value)
                code.store(value, code.row(beta, j), v)
                a = code.load(code.row(past, j), v)
                found.append(code.fused(a, value, sums[v]))
                unseen = build.fcmp_ordered("==", a, zero)
                fault = build.and_(unseen, build.fcmp_unordered(">", value, limit[v]))
                more.append(build.fadd(sums[SPAN + v], build.select(fault, one, zero)))
            return [*found, *more]

        sums = loop(build, k, [zero] * SPAN + list(faults), met)
        back = [build.fdiv(one, d) for d in sums[:SPAN]]

        def part(j: Any, nothing: Values) -> Values:
            for v in range(SPAN):
                place = code.row(w, j)
                old = build.fmul(code.load(place, v), build.fmul(back[v], own[v]))
                code.store(build.select(ended[v], zero, old), code.row(beyond, j), v)
                met_here = code.load(code.row(beta, j), v)
                value = build.fmul(met_here, back[v])
                b = code.load(code.row(density, j), v)
                counts = build.or_(
                    build.fcmp_ordered(">=", b, code.number(FAINT)), build.fcmp_ordered(">=", value, one)
                )
                following = build.fmul(build.fmul(b, value), norm[v])
                code.store(build.select(counts, following, zero), place, v)
                a = code.load(code.row(past, j), v)
                posterior = code.quotient(build.fmul(a, met_here), sums[v], back[v])
                code.store(posterior, code.row(density, j), v)
            return []

        loop(build, k, [], part)
        floors = [code.fused(code.number(FAINT), each, code.number(FLOOR)) for each in norm]
        return [*floors, *sums[SPAN:]]

    found = loop(build, steps, [zero] * SPAN + [code.load(bad, v) for v in range(SPAN)], step)
    for v in range(SPAN):
        code.store(found[SPAN + v], bad, v)
