"""A normal law inside an interval against 400 digits: both tails, narrow intervals, one open end."""

import mpmath as mp
import numpy as np

from estep.families.truncated import truncated

INF = np.inf
MIDDLES = [0.0, 1e-9, 0.3, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 25.0, 40.0, 100.0, 1e3, 1e6, 1e10]
WIDTHS = [1e-12, 1e-8, 1e-4, 1e-2, 0.1, 0.5, 1.0, 1.5, 2.0, 2.8, 3.0, 4.0, 6.0, 10.0, 30.0, 100.0]
CLOSED = [(c + a * w, c + b * w) for c in MIDDLES for w in WIDTHS for a, b in ((-0.5, 0.5), (0.0, 1.0))]
OPEN = [ends for c in MIDDLES for ends in ((c, INF), (-c, INF))]
ENDS = np.array([ends for ends in (*CLOSED, *OPEN) if ends[0] < ends[1]])
LOW, HIGH = np.concatenate([ENDS, -ENDS[:, ::-1]]).T


def exact(low: float, high: float) -> tuple[mp.mpf, ...]:
    """log P(low < z < high), E[z | inside], E[z^2 | inside] and half the variance of z^2 there."""
    with mp.workdps(400):  # narrow intervals far out cancel hundreds of them
        if low + high < 0:
            logs, mean, *rest = exact(-high, -low)
            return logs, -mean, *rest
        a, b = mp.mpf(low), mp.mpf(high)
        densities = [mp.npdf(end) if mp.isfinite(end) else mp.mpf(0) for end in (a, b)]
        inside = (mp.erfc(a / mp.sqrt(2)) - (mp.erfc(b / mp.sqrt(2)) if mp.isfinite(b) else 0)) / 2
        b = b if mp.isfinite(b) else mp.mpf(0)
        mean, square, cube = (
            (a**n * densities[0] - b**n * densities[1]) / inside + (1 if n == 1 else 0) for n in (0, 1, 3)
        )
        return mp.log(inside), mean, square, (3 * square + cube - square**2) / 2


def test_probabilities_and_moments_against_mpmath() -> None:
    with np.errstate(all="raise", under="ignore"):
        found = truncated(LOW, HIGH, HIGH - LOW)
    for i, (low, high) in enumerate(zip(LOW.tolist(), HIGH.tolist(), strict=True)):
        logs, mean, square, lost = exact(low, high)
        where = f"({low!r}, {high!r})"
        if logs < -1e-290:  # of a probability nearer to 1 the logarithm is below float64
            assert abs(found.log_probability[i] / logs - 1) < 2e-13, where
        assert abs(found.mean[i] - mean) < 1e-14 * mp.sqrt(square), where
        assert abs(found.square[i] / square - 1) < 2e-14, where
        assert abs(found.lost[i] - min(max(lost, 0), 1)) < 1e-12, where


def test_moments_stay_inside_the_interval() -> None:
    """Tallis's differences would leave it: the mean by their rounding, the variance below 0."""
    closed = np.isfinite(HIGH - LOW)
    low, high = LOW[closed], HIGH[closed]
    found = truncated(low, high, high - low)
    slack = 8 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    assert (found.mean >= low - slack).all()
    assert (found.mean <= high + slack).all()
    variance = found.square - found.mean**2
    rounding = 1e-14 * found.square
    assert (variance >= -rounding).all()
    assert (variance <= (high - low) ** 2 / 4 + rounding).all()


def test_what_lies_beyond_squares_is_finite() -> None:
    with np.errstate(all="raise", under="ignore"):
        found = truncated(np.array([1e150, -1.0]), np.array([INF, 1e200]), np.array([INF, 1e200]))
    assert all(np.isfinite(part).all() for part in found)
    assert np.isclose(found.log_probability[1], np.log(0.841344746068543))
