"""Keeps the process small: pictures and packets go back to the system as soon as nobody needs them.

glibc raises the size from which it asks the system for a block of its own with every such block that is freed. A
decoded 1080p picture is 3 MB: soon all of them would lie in the heaps of the cameras' threads, which never shrink.
"""

from __future__ import annotations

import ctypes
import logging

log = logging.getLogger(__name__)

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h
_OWN_BLOCK_BYTES = 256 * 1024
_HEAPS = 2


def keep_small() -> None:
    """Call this before any thread is started; where the C library is not glibc, nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    if not (mallopt(_M_MMAP_THRESHOLD, _OWN_BLOCK_BYTES) and mallopt(_M_ARENA_MAX, _HEAPS)):
        log.info("the C library keeps freed memory to itself")
