"""Kinds of features: 1, x, and x_a x_b for a <= b, x_a^2, |x|^2, or no more."""

FULL, DIAG, SPHERE, LINEAR = 0, 1, 2, 3
