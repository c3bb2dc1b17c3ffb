"""Inner loops. `reference/` is the specification, in NumPy; every faster kernel agrees with it by a law."""
