"""Compiled kernels for the processor: Numba loops and vector code. Imported at a first pass."""
