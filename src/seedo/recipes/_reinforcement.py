"""How to learn by reinforcement."""

from __future__ import annotations

from dataclasses import dataclass

from seedo.errors import UserError
from seedo.recipes._imitation import EXPLANATIONS
from seedo.recipes._settings import (
    LARGEST_SEED,
    Checked,
    between,
    choice,
    count,
    not_negative,
    positive,
    setting,
    share,
    some_share,
    widths,
)

REWARDS = ("expected", "sampled")
"""What an exploit step is paid: its expected outcome, or one that is drawn."""
ROOMS_NETWORKS = ("relational", "pixels", "attention", "attention-pixels")
"""Networks that play in rooms."""
LEARNT = ("both", "explore", "exploit")
"""Which steps reinforcement learns."""


@dataclass(frozen=True)
class FineTuning(Checked):
    """How to learn world `dag` by reinforcement.

    A round plays `tasks` x `players` episodes and learns from a share of their decisions. The
    reward `expected` is the exact expected goal value of an exploit action, without the noise that
    a person would see; `sampled` is the goal value that was seen.
    """

    steps: int = setting(
        1_000_000,
        "Environment steps in all, those of phase observe included, in whole rounds.",
        count(1, 10**12),
    )
    start: str | None = setting(
        None, "Agent to go on from, a folder or pretrained:NAME; else afresh.", None, "--from"
    )
    network: str | None = setting(None, "Kind of a fresh network (default: equivariant).")
    widths: tuple[tuple[str, int], ...] = setting(
        (), "Widths of a fresh network in place of its defaults, e.g. size=64.", widths, "--width"
    )
    tasks: int = setting(256, "Tasks of a round.", count(1, 65_536))
    players: int = setting(
        8, "Episodes of each task, for the leave-one-out baseline.", count(2, 4096)
    )
    reward: str = setting("expected", "expected (exact) or sampled goal values.", choice(*REWARDS))
    learnt: str = setting(
        "both", "Decisions learnt from: both phases', explore or exploit.", choice(*LEARNT)
    )
    share: float = setting(
        0.15, "Of these that is drawn to learn from, evenly over each phase.", some_share
    )
    epochs: int = setting(1, "Passes over them.", count(1, 100))
    minibatches: int = setting(4, "Parts of each pass.", count(1, 4096))
    learning_rate: float = setting(3e-4, "Of Adam, falling linearly to 0.", positive)
    clip: float = setting(
        0.2, "By how much an action's probability may change and still count.", between
    )
    entropy_weight: float = setting(0.0, "Of the policy's entropy.", not_negative)
    anchor_weight: float = setting(
        0.0, "Of KL(policy | agent started from) beside the advantage.", not_negative
    )
    own_rounds: int | None = setting(
        None, "How many of the last rounds are kept in own/ (default: all).", count(0, 10**12)
    )
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start is not None and (self.network is not None or self.widths):
            given = self.network or dict(self.widths)
            raise UserError("network", given, "the agent to go on from has one: leave it out")
        if self.start is None and self.anchor_weight:
            raise UserError("anchor_weight", self.anchor_weight, "needs an agent to start from")


@dataclass(frozen=True)
class ReinforcementRecipe(Checked):
    """How to learn the rooms by reinforcement.

    A round plays `unroll` steps in each of `environments` rooms, then learns from them; memory is
    learnt across no more than that. For explanations see `Recipe`.
    """

    steps: int = setting(
        2_000_000, "Environment steps in all, rounded up to whole rounds.", count(1, 10**12)
    )
    network: str = setting("relational", "Kind of network.", choice(*ROOMS_NETWORKS))
    widths: tuple[tuple[str, int], ...] = setting(
        (), "Widths in place of the network's defaults, e.g. size=64.", widths, "--width"
    )
    environments: int = setting(256, "Rooms played at once.", count(1, 65_536))
    unroll: int = setting(32, "Steps of each between updates.", count(1, 4096))
    epochs: int = setting(2, "Passes over the steps of a round.", count(1, 100))
    minibatches: int = setting(4, "Parts that the rooms are dealt into.", count(1, 4096))
    learning_rate: float = setting(1e-3, "Of Adam, falling linearly to 0.", positive)
    discount: float = setting(0.97, "Of later rewards, a step.", share)
    trace: float = setting(0.95, "Lambda of the advantage estimates.", share)
    clip: float = setting(
        0.2, "By how much an action's probability may change and still count.", between
    )
    entropy_weight: float = setting(0.01, "Of the policy's entropy.", not_negative)
    value_weight: float = setting(0.5, "Of the loss of the value.", not_negative)
    explanations: str = setting(
        "predict",
        "predict what is said, a control of it (shuffled, irrelevant, wrong), input or none.",
        choice(*EXPLANATIONS),
    )
    explanation_weight: float = setting(0.5, "Of the loss of predicting them.", not_negative)
    seed: int = setting(0, "Fixes all that is random.", count(0, LARGEST_SEED))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.environments % self.minibatches:
            raise UserError(
                "minibatches", self.minibatches, f"must divide {self.environments} environments"
            )

    @property
    def per_round(self) -> int:
        """Environment steps of a round."""
        return self.environments * self.unroll
