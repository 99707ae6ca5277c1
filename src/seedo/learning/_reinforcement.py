"""Learning by reinforcement: what all jobs of it share."""

from __future__ import annotations

from typing import Any

from seedo.learning._job import Method, settings_of

MOST_ROWS = 400
"""Lines of metrics.jsonl, about: long jobs put several rounds into one."""


class Rounds(Method):
    """Rounds of playing in a world and learning from it.

    Args:
        per_round: environment steps of a round.

    Attributes:
        job: what fixes the result.
    """

    total: int

    def __init__(self, world: Any, recipe: Any, per_round: int) -> None:
        self.world, self.recipe, self.per_round = world, recipe, per_round
        own = {"method": "ppo", "world": world.name, "world_config": world.config()}
        self.job: dict[str, Any] = own | settings_of(recipe)
        self.total = -(-recipe.steps // per_round)
        self.every = max(1, self.total // MOST_ROWS)

    def due(self, done: int) -> bool:
        return done % self.every == 0

    def rate(self, fraction: float) -> float:
        """The learning rate, falling linearly to 0."""
        return float(self.recipe.learning_rate * (1 - fraction))

    def speed(self, rounds: int, seconds: float) -> int:
        """Environment steps a second."""
        return round(rounds * self.per_round / max(seconds, 1e-9))

    def record(self, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "method": "ppo",
            "recipe": settings_of(self.recipe),
            "steps": row["steps"],
            "episodes": row["episodes"],
            "world": self.world.name,
            "world_config": self.world.config(),
        }
