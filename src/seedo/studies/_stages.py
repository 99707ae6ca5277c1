"""Worlds that the cells of a study share: one object each, so that play is compiled once."""

from __future__ import annotations

import functools
import json
from typing import Any

from seedo import worlds


def stage(name: str, **options: Any) -> Any:
    """The world of these options, as of `worlds.make`; the same object whenever they are the same.

    Args:
        options: JSON-able.
    """
    return _made(name, json.dumps(options, sort_keys=True))


@functools.lru_cache(maxsize=64)
def _made(name: str, options: str) -> Any:
    return worlds.make(name, **json.loads(options))
