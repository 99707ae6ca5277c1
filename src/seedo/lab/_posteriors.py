"""Posteriors over graphs that were worked out, kept for what is asked next of the same rows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from seedo import inference
from seedo.lab._background import Job
from seedo.tables import Table

_KEPT = 6
_LOCKS = 200


class Posteriors:
    """The posteriors used last, by what they rest on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, inference.CausalPosterior] = OrderedDict()
        self._locks: OrderedDict[Hashable, threading.Lock] = OrderedDict()

    def weigh(
        self, key: Hashable, job: Job, table: Table, beliefs: inference.Beliefs
    ) -> inference.CausalPosterior:
        """The posterior of a table, worked out once for each key; who asks meanwhile waits."""
        if key not in self._found:
            job.doing = "weighing graphs"
        with self._weighing(key):
            found = self._found.get(key)
            if found is None:
                found = inference.posterior(table, beliefs, job.progress)
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found

    def _weighing(self, key: Hashable) -> threading.Lock:
        with self._lock:
            while len(self._locks) > _LOCKS:
                self._locks.popitem(last=False)
            return self._locks.setdefault(key, threading.Lock())
