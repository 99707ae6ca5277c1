"""Which examples serve a model best, by what it earns with each on the validation split."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seedo.errors import UserError
from seedo.language.runs._calls import Calls
from seedo.language.runs._costs import Budget, Price, Spending
from seedo.language.runs._examples import Examples
from seedo.language.runs._record import RunPlan
from seedo.language.runs.inspect._evaluation import episode_task, open_model, play, played
from seedo.language.scenes import Conditions

EPISODES = 4
"""Of stream `validation`, that each candidate is tried on."""


@dataclass
class _Meter:
    """Counts what the trials cost, against a budget."""

    budget: Budget
    price: Price | None
    spent: Spending = field(default_factory=Spending)

    def called(self, spent: Spending, evaluation: str) -> None:
        self.spent += spent

    def may_call(self) -> bool:
        return not self.budget.used_up(self.spent, self.price)

    def ended(self) -> None:
        pass


@dataclass(frozen=True)
class Chosen:
    """A choice among sets of examples.

    Attributes:
        best: the set with the highest mean return; of equals the first.
        candidates: all that were tried.
        returns: mean return of each; NaN where no episode was finished.
        episodes: of stream `validation`, the same for all.
        spent: tokens.
    """

    best: Examples
    candidates: tuple[Examples, ...]
    returns: tuple[float, ...]
    episodes: int
    spent: Spending

    def to_dict(self) -> dict[str, Any]:
        """JSON, as a run's record states it."""
        return {
            "stream": "validation",
            "episodes": self.episodes,
            "candidates": [list(each.indices) for each in self.candidates],
            "returns": [None if math.isnan(r) else round(r, 6) for r in self.returns],
            "tokens": [self.spent.tokens_in, self.spent.tokens_out],
        }


def choose_by_play(
    world: Any,
    model: str,
    seed: int,
    conditions: Conditions,
    candidates: Sequence[Examples],
    calls: Calls,
    budget: Budget,
    price: Price | None,
    episodes: int = EPISODES,
) -> Chosen:
    """Lets a model play the first validation episodes with each set of examples.

    Raises:
        UserError: no candidates, or a model that cannot be opened.
    """
    if not candidates:
        raise UserError("candidates", 0, "give at least one set of examples")
    meter, returns = _Meter(budget, price), []
    for examples in candidates:
        own = dataclasses.replace(conditions, examples=len(examples.indices))
        plan = RunPlan(world, seed, "validation", own, examples, False)
        task = episode_task(plan, range(episodes))
        with tempfile.TemporaryDirectory() as folder:
            log = play(task, open_model(model, calls, seed), Path(folder), calls, meter)
            # Inspect reads samples when they are asked for: while their file is there.
            earned = [each.record["return"] for each in played(log) if not each.failure]
        returns.append(float(np.mean(earned)) if earned else math.nan)
    best = int(np.argmax(np.nan_to_num(returns, nan=-np.inf)))
    return Chosen(candidates[best], tuple(candidates), tuple(returns), episodes, meter.spent)
