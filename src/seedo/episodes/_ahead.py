"""Shards of a store, fetched before they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

THREADS = 8
"""Shards that are fetched at a time."""
MOST = 128 * 2**20
"""Bytes that are fetched and not yet taken, unless a single shard has more."""


class Ahead:
    """Contents of shards in a given order, some of them on their way already.

    Args:
        fetch: the bytes of a shard, by its position.
        order: positions, as they will be taken.
        sizes: bytes of each.
    """

    def __init__(
        self, fetch: Callable[[int], bytes], order: Sequence[int], sizes: Sequence[int]
    ) -> None:
        self._fetch, self._waiting = fetch, deque(zip(order, sizes, strict=True))
        self._coming: deque[tuple[int, int, Future[bytes]]] = deque()
        self._held = 0
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="ahead")
        self._fill()

    def take(self, position: int) -> bytes:
        """The bytes of the next shard; what `fetch` raises."""
        known, size, future = self._coming.popleft()
        assert known == position
        try:
            return future.result()
        finally:
            self._held -= size
            self._fill()

    def close(self) -> None:
        """Fetch no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fill(self) -> None:
        while self._waiting and len(self._coming) < 2 * THREADS:
            position, size = self._waiting[0]
            if self._coming and self._held + size > MOST:
                return
            self._waiting.popleft()
            self._held += size
            self._coming.append((position, size, self._pool.submit(self._fetch, position)))
