"""What is worked out in the background, kept, and found again after a reload or a restart."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa

from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs
from seedo.lab._store import METADATA

_FINDING = sa.Table(
    "game_finding",
    METADATA,
    sa.Column("game", sa.ForeignKey("game.id"), primary_key=True),
    sa.Column("part", sa.String(80), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
)


class Findings:
    """Parts of games' comparisons, each JSON.

    A lane of its own for every worker's name: what it has to compile is then never compiled twice
    at the same time, and the quick ones do not wait for the slow.
    """

    def __init__(self, engine: sa.Engine, background: Background) -> None:
        self._engine, self._background = engine, background
        self._running: dict[tuple[str, str], Job] = {}
        self._guard = threading.Lock()
        self._jobs = Jobs(background, "findings", most=100_000)

    def found(self, game: str) -> dict[str, Any]:
        """What there is of a game, by part."""
        kept = sa.select(_FINDING.c.part, _FINDING.c.content).where(_FINDING.c.game == game)
        with self._engine.connect() as connection:
            return {part: json.loads(text) for part, text in connection.execute(kept)}

    def ask(
        self, game: str, part: str, worker: str, work: Callable[[], Any], late: bool = False
    ) -> None:
        """Have a part worked out, once; `late`: after everything that somebody waits for.

        Work that fails leaves {"failed": why}.
        """
        keep = partial(self._work, game, part, work)
        self._jobs.start((game, part), keep, lane=_lane(worker), late=late)

    def again(self, game: str, part: str, worker: str, work: Callable[[], Any]) -> None:
        """As `ask`, for work that may be asked for once more where it has failed."""
        with self._guard:
            job = self._running.get((game, part))
            if job is not None and not job.over:
                return
            gone = sa.delete(_FINDING).where(_FINDING.c.game == game, _FINDING.c.part == part)
            if "failed" in self.found(game).get(part, {}):
                with self._engine.begin() as connection:
                    connection.execute(gone)
            keep = partial(self._work, game, part, work)
            self._running[game, part] = self._background.start(_lane(worker), keep)

    def running(self, game: str, part: str) -> bool:
        """Whether what was asked for with `again` is still being worked out."""
        job = self._running.get((game, part))
        return job is not None and not job.over

    def ahead(self, worker: str, work: Callable[[], Any]) -> Job:
        """Have a worker do something before anybody asks, in its own lane: what it compiles then is
        not compiled beside it, and whoever asks comes before what has not begun."""
        return self._background.start(_lane(worker), lambda job: work(), late=True)

    def _work(self, game: str, part: str, work: Callable[[], Any], job: Job) -> None:
        if part in self.found(game):
            return
        try:
            content = work()
        except UserError as error:
            content = {"failed": error.remedy}
        except Exception as error:  # the page has to learn that this will never come
            logging.getLogger(__name__).exception("part %s of a comparison", part)
            content = {"failed": f"it failed: {type(error).__name__}"}
        row = {"game": game, "part": part, "content": json.dumps(content)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_FINDING).values(row))


def _lane(worker: str) -> str:
    return f"findings of {worker}"
