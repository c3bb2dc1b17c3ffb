"""exp and log in a form that the compiler turns into lanes of the processor.

exp(x) = 2^n exp(r), n = rint(x / log 2), |r| <= log(2)/2, by a polynomial of degree 13 and the two-part
logarithm of 2 of Cody & Waite (1980). Within 2 units in the last place; for x <= 0 only, 0 below -708.

log(s) = n log 2 + 2 artanh((m - 1) / (m + 1)), s = 2^n m with m in [1, 2); for s >= 1, where nothing cancels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from estep.kernels.cpu.jit import jit

LOWEST = -708.0
PER_LOG2 = 1.4426950408889634
LOG2_HIGH = 6.93145751953125e-1  # its product with any exponent is exact
LOG2_LOW = 1.42860682030941723212e-6


def _power_of_two(typing: Any, exponent: Any) -> Any:
    """2^n of a whole-numbered float, put together from its bits."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(64)
        # by way of 32 bits: every processor converts those in lanes
        whole = builder.sext(builder.fptosi(args[0], ir.IntType(32)), wide)
        bits = builder.shl(builder.add(whole, ir.Constant(wide, 1023)), ir.Constant(wide, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), build


power_of_two: Any = intrinsic(_power_of_two)


@jit
def exp_nonpositive(x: float) -> float:
    """exp(x) of x <= 0."""
    held = max(x, LOWEST)
    n = np.rint(held * PER_LOG2)
    r = (held - n * LOG2_HIGH) - n * LOG2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    found: float = p * power_of_two(n) if x >= LOWEST else 0.0
    return found


def _split(typing: Any, number: Any) -> Any:
    """(n, m) of a normal number 2^n m, 1 <= m < 2, from its bits."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide, double = ir.IntType(64), ir.DoubleType()
        bits = builder.bitcast(args[0], wide)
        power = builder.trunc(builder.lshr(bits, ir.Constant(wide, 52)), ir.IntType(32))
        exponent = builder.sitofp(builder.sub(power, ir.Constant(ir.IntType(32), 1023)), double)
        rest = builder.and_(bits, ir.Constant(wide, (1 << 52) - 1))
        mantissa = builder.bitcast(builder.or_(rest, ir.Constant(wide, 1023 << 52)), double)
        return context.make_tuple(builder, signature.return_type, (exponent, mantissa))

    pair: Any = types.Tuple([types.float64, types.float64])  # type: ignore[no-untyped-call]  # numba is untyped
    return pair(types.float64), build


split: Any = intrinsic(_split)


@jit
def log_from_one(s: float) -> float:
    """log(s) of s >= 1."""
    n, m = split(s)
    n, m = (n + 1.0, m * 0.5) if m > 1.4142135623730951 else (n, m)
    f = (m - 1.0) / (m + 1.0)
    q = f * f
    p = 2.0 / 21.0
    p = p * q + 2.0 / 19.0
    p = p * q + 2.0 / 17.0
    p = p * q + 2.0 / 15.0
    p = p * q + 2.0 / 13.0
    p = p * q + 2.0 / 11.0
    p = p * q + 2.0 / 9.0
    p = p * q + 2.0 / 7.0
    p = p * q + 2.0 / 5.0
    p = p * q + 2.0 / 3.0
    p = p * q + 2.0
    found: float = n * LOG2_HIGH + (n * LOG2_LOW + p * f)
    return found
