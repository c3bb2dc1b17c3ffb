"""Compiled kernels for the processor: Numba loops around BLAS products. Imported at a first pass."""
