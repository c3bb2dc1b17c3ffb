"""Measurements of speed and memory; `make bench` runs them all. No timed tests: speed lives here."""
