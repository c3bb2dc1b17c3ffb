"""Errors and warnings: each is a sentence that names the row, column or parameter, and a way out."""

from __future__ import annotations


class EstepError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 1


class UsageError(EstepError, ValueError):
    """A parameter or an option that makes no sense."""

    exit_code = 2


class DataError(EstepError, ValueError):
    """Data that no model, or not this model, can take."""

    exit_code = 3


class ModelFileError(EstepError, ValueError):
    """A model file that is damaged, unknown or inconsistent."""

    exit_code = 4


class ResourceError(EstepError, OSError):
    """A disk, a folder or memory that could not be had."""

    exit_code = 5


class OutOfMemoryError(ResourceError, MemoryError):
    """Memory that a fit needs and cannot have."""


class SourceError(EstepError, OSError):
    """A source of data that cannot be opened or read."""

    exit_code = 6


class HookError(EstepError, RuntimeError):
    """A user's own model function that raised, or returned what cannot be used."""

    exit_code = 3


class Degenerate(EstepError, ArithmeticError):
    """A component that no longer has a density; the start that led there is marked with the reason."""

    exit_code = 3

    def __init__(self, component: int, why: str) -> None:
        super().__init__(f"component {component}: {why}")
        self.component, self.why = component, why

    def __reduce__(self) -> tuple[type[Degenerate], tuple[int, str]]:
        return type(self), (self.component, self.why)


class EstepWarning(UserWarning):
    """A result, and something its reader must know; the message begins with a code such as EM001."""
