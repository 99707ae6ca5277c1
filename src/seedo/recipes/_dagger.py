"""How to learn from an expert who is asked."""

from __future__ import annotations

from dataclasses import dataclass, fields

from seedo.errors import UserError
from seedo.recipes._imitation import Recipe, Training
from seedo.recipes._settings import between, choice, count, setting, share

ASK = ("exploit", "balanced", "uniform")
"""Which steps of an episode DAgger asks the expert about."""


@dataclass(frozen=True, kw_only=True)
class DaggerRecipe(Training):
    """How to learn from an expert who is asked about what the agent itself visits.

    Where the expert acts it has been asked: such a step counts, and its answer is learnt too. The
    epochs are shared out to the rounds.
    """

    expert_queries: int = setting(
        help="Steps at which the expert may be asked, in all rounds together.",
        check=count(1, 10**9),
    )
    rounds: int = setting(4, "Rounds, to which the queries are dealt evenly.", count(1, 10_000))
    beta: float = setting(0.5, "Share of the steps that the expert acts in round 0.", share)
    decay: float = setting(0.5, "By what that share shrinks each round.", share, "--mix")
    ask: str = setting(
        "exploit",
        "Where else to ask: at exploit steps, as many others too (balanced), or any (uniform).",
        choice(*ASK),
    )
    share: float = setting(0.5, "Of the minibatches that hold new labels.", between)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs is None:
            raise UserError("epochs", None, "give passes over the logs")
        if self.expert_queries < self.rounds:
            raise UserError(
                "expert_queries", self.expert_queries, f"give one a round at least: {self.rounds}"
            )

    @property
    def imitation(self) -> Recipe:
        """How a network is trained, without the expert."""
        return Recipe(**{own.name: getattr(self, own.name) for own in fields(Training)})

    def queries_of(self, number: int) -> int:
        """Queries of a round."""
        return self.expert_queries // self.rounds + (number < self.expert_queries % self.rounds)

    def beta_of(self, number: int) -> float:
        """Probability of a step of a round to be the expert's."""
        return float(self.beta * self.decay**number)
