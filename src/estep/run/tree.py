"""The fixed binary tree in which the statistics of blocks are merged: (0+1)+(2+3), ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

S = TypeVar("S")


def tree_sum(items: Iterable[S], add: Callable[[S, S], S]) -> S:
    """Merge items in order as they come, holding at most one finished subtree of each size.

    The shape depends on the number of items alone, so threads and feeds cannot change a bit.
    """
    subtrees: list[tuple[int, S]] = []
    for item in items:
        height = 0
        while subtrees and subtrees[-1][0] == height:
            item = add(subtrees.pop()[1], item)  # noqa: PLW2901  the carry of a binary counter
            height += 1
        subtrees.append((height, item))
    if not subtrees:
        raise ValueError("a sum over no blocks")
    total = subtrees.pop()[1]
    while subtrees:
        total = add(subtrees.pop()[1], total)
    return total
