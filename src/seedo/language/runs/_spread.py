"""Conversations of a run in other processes: chunks of episodes as tasks."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.execution import Task, Workers, spread
from seedo.language.runs._calls import Calls
from seedo.language.runs._costs import Budget, Price, Spending
from seedo.language.runs._examples import Examples
from seedo.language.runs._ledger import Ledger
from seedo.language.runs._record import RunPlan
from seedo.language.runs._replay import same_world
from seedo.language.scenes import Conditions

_MOST = 64  # episodes of a chunk
_EACH = 4  # chunks of every worker, so that none waits long for the last


@dataclass(frozen=True)
class Talkers:
    """Whoever holds conversations elsewhere, and where models answer.

    Attributes:
        workers: see `execution.open_workers`.
        count: of workers.
        endpoints: addresses of servers of the same model, taken in turn; none: the provider's.
    """

    workers: Workers | Executor
    count: int
    endpoints: tuple[str, ...] = ()

    def chunks(
        self, plan: RunPlan, model: str, calls: Calls, episodes: Sequence[int], folder: Path,
        left: Budget | None, worst: Spending, price: Price | None,
    ) -> Iterator[Path]:  # fmt: skip
        """Have episodes played, and give the folder of every chunk when it is done.

        Each chunk may use its share of what is left of the budget, so that all together stay in it,
        and its share of the calls in flight.

        Args:
            left: of the budget; None: no limit.
            worst: what an episode can cost at most, as far as can be foreseen.
        """
        size = max(1, min(_MOST, math.ceil(len(episodes) / (self.count * _EACH))))
        parts = [episodes[i : i + size] for i in range(0, len(episodes), size)]
        own = replace(calls, max_connections=max(1, calls.max_connections // self.count))
        told = {"plan": _plan_to_json(plan), "model": model, "calls": asdict(own),
                "price": None if price is None else asdict(price)}  # fmt: skip
        tasks = []
        for number, part in enumerate(parts):
            place = folder / f"{part[0]:06d}-{uuid.uuid4().hex[:8]}"
            address = self.endpoints[number % len(self.endpoints)] if self.endpoints else None
            share = _share(left, len(part) / len(episodes), worst.times(len(part)), price)
            own_told = {"episodes": list(part), "folder": str(place.resolve()), "budget": share,
                        "endpoint": address}  # fmt: skip
            tasks.append((place, Task("conversations", told | own_told)))
        return (place for place, _ in spread(tasks, self.workers))


def check_endpoint(address: str) -> str:
    """The address of a server of a model, which must be free of secrets: tasks and logs tell it.

    Raises:
        UserError: no http address, or one with a user or a password.
    """
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("--endpoint", address, "give an address like http://HOST:PORT/v1")
    if parts.username or parts.password or parts.query:
        shown = f"{parts.scheme}://{parts.hostname}"
        raise UserError("--endpoint", shown, "leave secrets out: keys come from the environment")
    return address


def _share(
    left: Budget | None, part: float, worst: Spending, price: Price | None
) -> dict[str, Any] | None:
    """A chunk's part of a budget, no more than it can need."""
    if left is None:
        return None
    tokens = None if left.tokens is None else max(1, min(int(left.tokens * part), worst.tokens))
    usd = left.usd
    if usd is not None and price is not None:
        usd = min(usd * part, price.of(worst)) or usd * part
    return {"usd": usd, "tokens": tokens}


def _plan_to_json(plan: RunPlan) -> dict[str, Any]:
    return {
        "world": plan.world.name,
        "config": plan.world.config(),
        "seed": plan.seed,
        "stream": plan.stream,
        "conditions": plan.conditions.to_dict(),
        "examples": None if plan.examples is None else plan.examples.to_dict(),
        "systems": plan.systems,
    }


def _plan_from_json(told: Mapping[str, Any]) -> RunPlan:
    examples = told["examples"]
    return RunPlan(
        same_world(told["world"], told["config"]),
        told["seed"],
        told["stream"],
        Conditions.from_dict(told["conditions"]),
        None if examples is None else Examples.from_dict(examples),
        told["systems"],
    )


class _Watching:
    """Counts what a chunk costs against its share."""

    def __init__(self, ledger: Ledger, budget: Budget, price: Price | None) -> None:
        self._ledger, self._budget, self._price = ledger, budget, price

    def called(self, spent: Spending, evaluation: str) -> None:
        self._ledger.called(evaluation, spent)

    def may_call(self) -> bool:
        return not self._budget.used_up(self._ledger.total, self._price)

    def ended(self) -> None:
        """The one who asked reads the log."""


def hold_conversations(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker does: plays a chunk of episodes, less those that one before it has finished.

    Raises:
        UserError: inspect-ai is missing, or a model that cannot be opened.
    """
    try:
        from seedo.language.runs import inspect as through_inspect
    except ImportError as error:
        remedy = 'install it where work is done: pip install "seedo[inspect]"'
        raise UserError("inspect-ai", None, remedy) from error
    plan, folder = _plan_from_json(told["plan"]), Path(told["folder"])
    calls = Calls(**told["calls"])
    price = None if told["price"] is None else Price(**told["price"])
    done = {
        played.episode
        for log in (through_inspect.read_logs(folder) if folder.is_dir() else ())
        for played in through_inspect.played(log)
        if not played.failure
    }
    waiting = [episode for episode in told["episodes"] if episode not in done]
    if waiting:
        watch = _Watching(Ledger(folder), Budget(**(told["budget"] or {})), price)
        player = through_inspect.open_model(told["model"], calls, plan.seed, told["endpoint"])
        task = through_inspect.episode_task(plan, waiting)
        log = through_inspect.play(task, player, folder, calls, watch)
        if not log.samples:
            why = log.error.message if log.error else "no reason given"
            raise UserError("inspect", None, f"the evaluation did not start: {why[-160:]}")
    return {}
