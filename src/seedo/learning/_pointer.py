"""Copying: a head that does again what an earlier step did, or sets its variable to another value.

A pointer network's head (Vinyals et al., 2015) mixed with an ordinary one by a gate, as in
pointer-generators (See et al., 2017). What it names is a *step*, whose variable it then takes, so
that it need not learn an output for every variable.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.learning._layers import Linear

_WIDTH = 16


class Pointer(eqx.Module):
    """Queries of a decision, keys of steps, and the gate between copying and saying."""

    query: Linear
    key: Linear
    gate: Linear
    do_values: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, do_values: tuple[float, ...], size: int, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, 3)
        self.do_values = do_values
        self.query = Linear(size, 2 * _WIDTH, keys[0])
        self.key = Linear(size, 2 * _WIDTH, keys[1])
        self.gate = Linear(size, 1, keys[2], scale=0.1)

    @staticmethod
    def width() -> int:
        """Of a key."""
        return 2 * _WIDTH

    def mixed(
        self,
        said: Float[Array, "n V"],
        h: Float[Array, " d"],
        keys: Float[Array, "S k"],
        target: Int[Array, " S"],
        value: Float[Array, " S"],
        allowed: Bool[Array, " n"],
    ) -> Float[Array, "n V"]:
        """Log-probabilities of saying or copying.

        Args:
            said: log-probabilities of the ordinary head.
            h: of the decision. keys: of steps, of which those with `target` -1 count for nothing.
            target, value: what they set.
            allowed: variables that may be chosen.
        """
        grid = jnp.asarray(self.do_values)
        largest = max(max(abs(v) for v in self.do_values), 1e-6)
        same, turned = jnp.split(self.query(h).astype(jnp.float32), 2)
        key_same, key_turned = jnp.split(keys.astype(jnp.float32), 2, axis=-1)
        # The one part does not know of values; the other one's sign is that of both together.
        sign = grid[None, :] * value[:, None] / largest**2
        score = (key_same @ same)[:, None] + (key_turned @ turned)[:, None] * sign
        usable = (target >= 0) & allowed[jnp.maximum(target, 0)]
        weight = jax.nn.softmax(jnp.where(usable[:, None], score, -1e9).reshape(-1))
        step = (target[:, None] == jnp.arange(len(allowed))) & usable[:, None]
        copied = step.T.astype(jnp.float32) @ weight.reshape(score.shape)
        log_copied = jnp.where(copied > 0, jnp.log(jnp.maximum(copied, 1e-30)), -1e9)
        gate = jnp.where(usable.any(), self.gate(h).astype(jnp.float32)[0], -1e9)
        both = jnp.logaddexp(
            jax.nn.log_sigmoid(-gate) + jnp.where(allowed[:, None], said, -1e9),
            jax.nn.log_sigmoid(gate) + log_copied,
        )
        return jnp.where(allowed[:, None], both, -jnp.inf)
