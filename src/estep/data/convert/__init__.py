"""Anything that holds cells, as columns of float64: arrays, frames, Arrow tables, lists."""
