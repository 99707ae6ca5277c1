"""Handing out tasks: a few at a time, again where a worker dies, answers as they come."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any, NamedTuple, TypeVar

from seedo.errors import UserError
from seedo.execution._task import Task
from seedo.execution._workers import LostWorker, Pool, Workers

TRIES = 8
"""How often a task is handed out whose worker dies each time."""
_REST = 0.05
"""Seconds before a task is handed out again, doubled with every death."""
_AHEAD = 2
"""Tasks in flight for each worker, so that none waits for the next."""

K = TypeVar("K")


class Done(NamedTuple):
    """What came of a task: what its function returned, and the CPU type of whoever did it."""

    result: dict[str, Any]
    cpu: str


def spread(
    tasks: Iterable[tuple[K, Task]],
    workers: Workers | Executor,
    failed: Callable[[K, UserError], None] | None = None,
) -> Iterator[tuple[K, Done]]:
    """Have tasks done, and give what comes of them in the order in which it comes.

    Only some tasks are in flight at a time: neither they nor their answers pile up here.

    Args:
        tasks: each with a key, by which its answer is known; taken as they are needed.
        workers: whoever does them.
        failed: is told of a task that went wrong, and the others go on; without it, it is raised.

    Raises:
        UserError: a task was refused or failed, or its worker died `TRIES` times.
    """
    if isinstance(workers, Executor):
        workers = Pool(workers)
    waiting, room, flying = iter(tasks), _AHEAD * workers.count, 0
    ready: queue.SimpleQueue[tuple[K, Task, int, Future[str]]] = queue.SimpleQueue()
    again: list[tuple[float, K, Task, int]] = []  # when, what, and which try it is

    def hand_out(key: K, task: Task, tries: int) -> None:
        future = workers.submit(task.to_text())
        future.add_done_callback(lambda done: ready.put((key, task, tries, done)))

    def fill() -> int:
        """Hand out what has waited long enough after a death, and what there is room for."""
        count = 0
        while again and again[0][0] <= time.monotonic():
            hand_out(*again.pop(0)[1:])
        while flying + count < room and (found := next(waiting, None)) is not None:
            hand_out(*found, 1)
            count += 1
        return count

    while flying := flying + fill():
        try:
            rest = max(0.0, again[0][0] - time.monotonic()) if again else None
            key, task, tries, future = ready.get(timeout=rest)
        except queue.Empty:
            continue
        try:
            answer = json.loads(future.result())
        except (BrokenExecutor, LostWorker, CancelledError) as error:
            if tries < TRIES:  # where a machine has gone, others may not know it yet
                again.append((time.monotonic() + _REST * 2**tries, key, task, tries + 1))
                again.sort(key=lambda waiting: waiting[0])
                continue
            answer = {"failed": f"{_DIED} ({error})", "where": "of this task"}
        flying -= 1
        if (why := _wrong(answer)) is None:
            yield key, Done(answer["done"], answer["cpu"])
        elif failed is None:
            raise why
        else:
            failed(key, why)


_DIED = (
    f"died {TRIES} times, perhaps for want of memory: give each more or use fewer; what is done is "
    "kept, go on with --resume"
)


def _wrong(answer: dict[str, Any]) -> UserError | None:
    """Why nothing came of a task; None: something did."""
    if "refused" in answer:
        return UserError(**answer["refused"])
    if "failed" in answer:
        return UserError(f"worker {answer['where']}", None, answer["failed"])
    return None
