"""Whether the files of a log are what its manifest says: what is broken, what can still be read."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from seedo.episodes import DamagedShard, EpisodeBatch
from seedo.errors import UserError
from seedo.lab._background import Background, Job, Jobs
from seedo.lab._log import MOST_SHARD, Log, check_file

_MOST_READ = 32 << 20  # bytes of a log that is read through unasked
_MOST_PARTS = 2_000  # of which the sizes are looked at
_WAITING = 100


@dataclass(frozen=True)
class Condition:
    """What is known of a log's files.

    Attributes:
        readable: episodes in those that are not known to be broken.
        damage: one line for each that is broken.
        parts: how many there are.
        checked: whether all were read, and not only their sizes.
    """

    readable: int
    damage: tuple[str, ...]
    parts: int
    checked: bool


class Checks:
    """Conditions of logs: at once by the files' sizes, and in full once they have been read.

    Args:
        background: where they are read.
    """

    def __init__(self, background: Background) -> None:
        self._jobs = Jobs(background, "log check", kept=_WAITING, most=_WAITING)

    def condition(self, log: Log) -> tuple[Condition, bool]:
        """What is known by now, and whether more will be before long."""
        damage, state = _by_size(log)
        glance = Condition(_rows(log, damage), tuple(damage.values()), len(log.parts), False)
        if sum(part.bytes for part in log.parts) > _MOST_READ or len(log.parts) > _MOST_PARTS:
            return glance, False
        try:
            job = self._jobs.start((log.key, log.version, state), partial(_read, log), late=True)
        except UserError:  # many wait: it is asked for again
            return glance, True
        if job.over:
            return job.result or glance, False
        return glance, True


def _rows(log: Log, damage: dict[int, str]) -> int:
    return sum(part.rows for number, part in enumerate(log.parts) if number not in damage)


def _by_size(log: Log) -> tuple[dict[int, str], Hashable]:
    """What is wrong by the files' sizes alone, by number; and something that changes with them."""
    if not log.path.is_dir():
        return {}, log.version
    damage, state = {}, []
    for number, part in enumerate(log.parts[:_MOST_PARTS]):
        path = log.path / part.name
        try:
            size = check_file(path, log.root, MOST_SHARD)
            state.append((size, path.stat().st_mtime_ns))
        except (UserError, OSError) as error:
            damage[number] = str(error)
            continue
        if size != part.bytes:
            damage[number] = f"{part.name}: {size:,} of {part.bytes:,} bytes"
    return damage, tuple(state)


def _read(log: Log, job: Job) -> Condition:
    damage = {}
    for number in range(len(log.parts)):
        job.progress(number, len(log.parts))
        try:
            log.read(number, EpisodeBatch.OPTIONAL)
        except DamagedShard as error:
            damage[number] = str(error)
    return Condition(_rows(log, damage), tuple(damage.values()), len(log.parts), True)
