"""Room that a thread keeps from block to block: fresh pages for each would cost as much as the arithmetic."""

from __future__ import annotations

import threading

import numpy as np

from estep.kernels.cpu.lanes import ROWS
from estep.records import Array


class Room(threading.local):
    """One flat array a thread, that grows."""

    _flat: Array = np.empty(0)

    def take(self, lines: int) -> Array:
        """So many rows of a strip of float64, with whatever finite numbers were left in them."""
        size = lines * ROWS
        if self._flat.size < size:
            fresh = np.zeros(size + 8)
            self._flat = fresh[-(fresh.ctypes.data // 8) % 8 :]  # no register lies across lines of the cache
        return self._flat[:size]
