"""The engine: one EM loop for every model."""

from estep.engine.fit import Result, fit
from estep.engine.problem import Model, Point, Problem
from estep.engine.starts import Given, Search
from estep.engine.steps import Plain
from estep.engine.verdict import Aitken, Info, Status, Verdict, linear_rate, still_to_gain
from estep.engine.watch import Printer, silent, watched

__all__ = [
    "Aitken",
    "Given",
    "Info",
    "Model",
    "Plain",
    "Point",
    "Printer",
    "Problem",
    "Result",
    "Search",
    "Status",
    "Verdict",
    "fit",
    "linear_rate",
    "silent",
    "still_to_gain",
    "watched",
]
