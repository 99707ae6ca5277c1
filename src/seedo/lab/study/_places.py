"""Whose place is theirs, and who may have one: by finishers, balanced over the conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from seedo.lab.study._config import StudyConfig
from seedo.lab.study._store import Participant


def stamp(at: datetime) -> str:
    """A time as it is stored; such texts compare as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def expired(config: StudyConfig, person: Participant, now: datetime) -> bool:
    """Whether somebody has been away for so long that their place is free."""
    if person.state in ("finished", "screened") or not _minutes(config):
        return False
    return person.seen_at <= stamp(now - timedelta(minutes=_minutes(config)))


def stale(config: StudyConfig, person: Participant, now: datetime) -> bool:
    """Whether it is time to note again that somebody is here: a tenth of the time-out has gone."""
    if not _minutes(config):
        return False
    return person.seen_at <= stamp(now - timedelta(minutes=_minutes(config) / 10))


def holding(config: StudyConfig, people: Sequence[Participant], now: datetime) -> list[Participant]:
    """Whoever has finished, or is at it."""
    return [p for p in people if p.state != "screened" and not expired(config, p, now)]


def open_conditions(config: StudyConfig, held: Sequence[Participant]) -> list[str]:
    """Conditions that may still have one more, such that the full study is balanced within 1.

    Of P places in C conditions each gets P // C, and P % C of them one more.
    """
    labels = [label for label, _ in config.conditions()]
    if len(held) >= config.max_participants:
        return []
    share, over = divmod(config.max_participants, len(labels))
    counts = Counter(p.condition for p in held)
    more = over - sum(counts[label] > share for label in labels)
    return [
        label for label in labels if counts[label] < share or (counts[label] == share and more > 0)
    ]


def _minutes(config: StudyConfig) -> float:
    return 0 if config.recruit is None else config.recruit.minutes
