"""Whoever comes first compiles a program; who comes meanwhile waits, rather than compile it too."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

_GATES: dict[Hashable, threading.Lock] = {}
_OPEN: set[Hashable] = set()


@contextmanager
def once(*key: Hashable) -> Iterator[None]:
    """Around the use of a program: one at a time, until one has got through without an error.

    Args:
        key: what tells the program from others.
    """
    if key in _OPEN:
        yield
        return
    with _GATES.setdefault(key, threading.Lock()):
        yield
        _OPEN.add(key)
