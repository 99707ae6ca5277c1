"""Writing by many at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]


class Writer:
    """Runs what threads want written, each thing whole or not at all.

    A database server does that by itself. An SQLite file has one writer at a time, and every commit
    waits for the disk: there, what has arrived during one commit is committed together by the next,
    so that many writers wait for the disk about twice and not once for each of them.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lite = engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._waiting: deque[tuple[Work, Future[Any]]] = deque()

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` returns, once what it wrote is committed.

        What it raises is raised here, and nothing of what it wrote is kept. On SQLite nobody else
        writes while it runs.
        """
        if not self._lite:
            with self._engine.begin() as connection:
                return work(connection)
        future: Future[T] = Future()
        self._waiting.append((work, future))
        with self._turn:
            if not future.done():
                together = []
                while self._waiting:
                    together.append(self._waiting.popleft())
                self._write(together)
        return future.result()

    def _write(self, together: list[tuple[Work, Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                for work, future in together:
                    try:
                        with connection.begin_nested():
                            done.append((future, work(connection)))
                    except Exception as error:
                        future.set_exception(error)
                connection.commit()
        except BaseException as error:
            for _, future in together:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)
