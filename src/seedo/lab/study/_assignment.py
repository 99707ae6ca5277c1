"""Who gets which condition, and the tasks in which order."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np

from seedo.lab.study._config import RANDOM_CODE, StudyConfig
from seedo.lab.study._places import holding, open_conditions, stamp
from seedo.lab.study._store import Enrolment, Participant

T = TypeVar("T")

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another


class Full(Exception):
    """There are as many participants as the study takes."""


def balanced_orders(tasks: int) -> list[tuple[int, ...]]:
    """Orders in which every task comes equally often at every place and after every other one.

    `tasks` orders where that is an even number, twice as many where it is odd: Williams (1949),
    Experimental designs balanced for the estimation of residual effects of treatments.
    """
    first = [0] * tasks
    for place in range(1, tasks):  # 0, 1, n-1, 2, n-2, ...
        first[place] = (place + 1) // 2 if place % 2 else tasks - place // 2
    rows = [tuple((task + shift) % tasks for task in first) for shift in range(tasks)]
    return rows if tasks % 2 == 0 else rows + [row[::-1] for row in rows]


def assign(
    config: StudyConfig,
    others: Sequence[Participant],
    resume_token: Callable[[int, str], str],
    now: datetime | None = None,
) -> Enrolment:
    """The next participant's number, condition, order of tasks and end code.

    The condition is one of those with the fewest participants, by lot; so is the order within the
    condition. The places of whoever was deleted, sent away or away for too long are filled again.

    Args:
        config: the study.
        others: all participants so far.
        resume_token: from a number and a time of consent, the secret of the link to resume with.
        now: the time of consent; None: by the clock.

    Raises:
        Full: no more participants are wanted.
    """
    now = now or datetime.now(UTC)
    held = holding(config, others, now)
    wanted = open_conditions(config, held)
    if not wanted:
        raise Full
    number = max((other.number for other in others), default=0) + 1
    rng = np.random.default_rng([config.seed, number])
    condition = _rarest(wanted, Counter(o.condition for o in held), rng)
    orders = Counter(o.task_order for o in held if o.condition == condition)
    consented_at = stamp(now)
    code = config.end_code
    if code == RANDOM_CODE:
        code = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return Enrolment(
        number,
        condition,
        _order(config, orders, rng),
        code,
        hashed(resume_token(number, consented_at)),
        consented_at,
    )


def hashed(token: str) -> str:
    """What is stored of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _order(
    config: StudyConfig, taken: Counter[tuple[int, ...]], rng: np.random.Generator
) -> tuple[int, ...]:
    if config.order == "balanced":
        return _rarest(balanced_orders(config.tasks), taken, rng)
    if config.order == "random":
        return tuple(int(task) for task in rng.permutation(config.tasks))
    return tuple(range(config.tasks))


def _rarest(options: Sequence[T], taken: Counter[T], rng: np.random.Generator) -> T:
    fewest = min(taken[option] for option in options)
    rare = [option for option in options if taken[option] == fewest]
    return rare[rng.integers(len(rare))]
