"""Executors: they sum a function over the blocks of a source. All parallelism lives here."""

from estep.run.local import Executor, Local, limited

__all__ = ["Executor", "Local", "limited"]
