"""Network `plain-raw`: `plain`, which reads what a raw world shows in place of variables."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from seedo.learning._components import COMPONENTS
from seedo.learning._inputs import Cue, Row
from seedo.learning._layers import Linear
from seedo.learning._plain import Memory, Plain


class Sighted(Plain):
    """See the module's docstring. What is shown are `numbers` numbers: their principal components,
    found beforehand and not learnt, go through a layer of `sight` units into the token of a step.
    """

    centre: Float[Array, " D"]
    components: Float[Array, "D C"]  # divided by their standard deviations
    eye: Linear

    reads = "raw"

    def __init__(
        self,
        do_values: tuple[float, ...],
        n: int,
        most_steps: int,
        size: int,
        heads: int,
        layers: int,
        numbers: int,
        sight: int,
        key: PRNGKeyArray,
    ) -> None:
        super().__init__(do_values, n, most_steps, size, heads, layers, key)
        embedding, looking = jax.random.split(jax.random.fold_in(key, 2))
        count = min(COMPONENTS, numbers)
        self.centre, self.components = jnp.zeros(numbers), jnp.zeros((numbers, count))
        self.eye = Linear(count, sight, looking)
        self.embed = Linear(sight + 1 + 4 * n + 3, size, embedding)

    def with_components(self, centre: Any, components: Any, spread: Any) -> Sighted:
        """With components to read by; those that are missing read nothing."""
        scaled = jnp.asarray(components / spread, jnp.float32)
        missing = self.components.shape[1] - scaled.shape[1]
        scaled = jnp.pad(scaled, ((0, 0), (0, missing)))
        return eqx.tree_at(
            lambda own: (own.centre, own.components), self,
            (jnp.asarray(centre, jnp.float32), scaled),
        )  # fmt: skip

    def _token(self, row: Row, cue: Cue) -> Float[Array, " F"]:
        n = self.n
        known = jnp.isfinite(row.outcome).all() & row.seen
        fixed = jax.lax.stop_gradient((self.centre, self.components))
        shown = jnp.where(known, (row.outcome - fixed[0]), 0.0) @ fixed[1]
        seen = jax.nn.gelu(self.eye(shown)) * known
        is_set = (jnp.arange(n) == row.target) & row.seen
        goal = jnp.arange(n) == cue.goal
        phase = jnp.arange(3) == cue.phase
        parts = [seen, known[None], is_set, is_set * row.value, goal, cue.relevant, phase]
        return jnp.concatenate([jnp.asarray(p, jnp.float32) for p in parts])

    def start(self, n: int, steps: int) -> Memory:
        memory = super().start(n, steps)
        unseen = jnp.full(len(self.centre), jnp.nan)
        return memory._replace(row=memory.row._replace(outcome=unseen))
