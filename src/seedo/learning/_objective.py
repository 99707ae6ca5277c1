"""What imitation minimises, and one optimiser step on it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float

from seedo.learning._decisions import Lesson
from seedo.learning._layers import decaying
from seedo.learning._networks import Network

CACHED_FLOATS = 80_000
"""Floats of one activation that a part of a minibatch may take on a CPU: more would not stay in a
core's cache, and a step would take up to 1.7 times as long."""


def losses(network: Network, batch: Lesson, dtype: Any) -> Float[Array, " 3"]:
    """Exploration, exploitation and explanation loss (nats), each a mean over what it applies to.

    They are sums weighted by the lesson, so a minibatch may be cut into parts and the losses added.
    """
    decision = jax.vmap(lambda i: network.read(i, batch.steps, dtype))(batch.inputs)
    chosen = jnp.take_along_axis(decision.log_probs, batch.action[..., None], -1)[..., 0]
    # An action that the network may not take has weight 0, but must not make 0 * inf.
    nll = -jnp.where(jnp.isfinite(chosen), chosen, 0.0)
    n = batch.edges.shape[-1]
    target = jnp.broadcast_to(batch.edges[:, None], decision.edges.shape)
    if network.explains == "graph":
        cross = optax.sigmoid_binary_cross_entropy(decision.edges, target)
    else:
        cross = (decision.edges - target) ** 2
    cross = cross * (1 - jnp.eye(n))
    edge = (cross.sum((-1, -2)) * batch.naming).sum() / max(n * (n - 1), 1)
    return jnp.stack([(nll * batch.explore).sum(), (nll * batch.exploit).sum(), edge])


def optimiser(weight_decay: float) -> optax.GradientTransformation:
    """AdamW with clipped gradients; the learning rate is applied outside."""
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(b2=0.98),
        optax.add_decayed_weights(weight_decay, mask=decaying),
    )


@functools.cache  # compiled once for all jobs of one kind, as the rounds of DAgger are
def make_update(
    loss_weights: tuple[float, float, float],
    weight_decay: float,
    dtype: Any = jnp.float32,
    mesh: Mesh | None = None,
    losses: Callable[[Any, Any, Any], Float[Array, " 3"]] = losses,
    optimiser: Callable[[float], optax.GradientTransformation] = optimiser,
) -> Callable[[Any, Any, Any, jax.Array], tuple[Any, Any, Float[Array, " 3"]]]:
    """A step: (lesson, network, optimiser state, rate) -> (network, state, losses).

    The network and the state passed in are used up. On one CPU device every core computes the
    gradient of its own share of the minibatch; shares are added in a fixed order. With a mesh,
    every device of it computes that of its part, and they are added over all devices, be they in
    one process or in several.
    """
    step, weights = optimiser(weight_decay), jnp.asarray(loss_weights)

    def gradient_of(network: Network, batch: Lesson) -> Any:
        parameters, rest = eqx.partition(network, eqx.is_array)

        def objective(parameters: Any, part: Lesson) -> tuple[jax.Array, jax.Array]:
            found = losses(eqx.combine(parameters, rest), part, dtype)
            return (found * weights).sum(), found

        def add(total: Any, part: Lesson) -> tuple[Any, jax.Array]:
            gradient, found = jax.grad(objective, has_aux=True)(parameters, part)
            return jax.tree.map(jnp.add, total, gradient), found

        return _over_parts(add, jax.tree.map(jnp.zeros_like, parameters), batch, network)

    @eqx.filter_jit(donate="all-except-first")
    def apply(parts: list[Any], network: Network, state: Any, rate: jax.Array) -> Any:
        gradient, found = jax.tree.map(lambda *share: sum(share), *parts)
        parameters, rest = eqx.partition(network, eqx.is_array)
        updates, state = step.update(gradient, state, parameters)
        parameters = eqx.apply_updates(parameters, jax.tree.map(lambda u: -rate * u, updates))
        return eqx.combine(parameters, rest), state, found

    if mesh is None:
        parts_of = _by_core(eqx.filter_jit(gradient_of))
    else:
        parts_of = _by_device(gradient_of, mesh)

    def update(batch: Lesson, network: Network, state: Any, rate: jax.Array) -> Any:
        return apply(parts_of(network, batch), network, state, rate)

    return update


def _by_core(gradient_of: Callable[[Any, Any], Any]) -> Callable[[Any, Any], list[Any]]:
    """The gradients of a minibatch's shares, one for every core of a CPU; else of all of it."""
    workers = 1 if jax.default_backend() != "cpu" else _cores()
    pool = ThreadPoolExecutor(workers)

    def parts_of(network: Any, batch: Any) -> list[Any]:
        rows = len(batch.action)
        size = rows // max(d for d in range(1, workers + 1) if rows % d == 0)

        def share(start: int) -> Any:
            return batch.each_column(lambda a: a[start : start + size])

        shares = [share(start) for start in range(0, rows, size)]
        return list(pool.map(lambda share: gradient_of(network, share), shares))

    return parts_of


def _by_device(
    gradient_of: Callable[[Any, Any], Any], mesh: Mesh
) -> Callable[[Any, Any], list[Any]]:
    """The gradient of a minibatch whose episodes lie split over the mesh, as the only part."""
    (axis,), whole = mesh.axis_names, PartitionSpec()

    @eqx.filter_jit
    def summed(network: Any, batch: Any) -> Any:
        arrays, rest = eqx.partition(network, eqx.is_array)

        def on_one(arrays: Any, part: Any) -> Any:
            # In one piece: every array that is sent for itself costs a round among all processes.
            flat, unravel = ravel_pytree(gradient_of(eqx.combine(arrays, rest), part))
            return unravel(jax.lax.psum(flat, axis))

        split = jax.tree.map(lambda _: PartitionSpec(axis), batch._replace(steps=()))
        specs = split._replace(steps=jax.tree.map(lambda _: whole, batch.steps))
        return jax.shard_map(
            on_one, mesh=mesh, in_specs=(whole, specs), out_specs=whole, check_vma=False
        )(arrays, batch)

    def parts_of(network: Any, batch: Any) -> list[Any]:
        # Waited for: steps under way at a time can wait for one another's threads for ever.
        return [jax.block_until_ready(summed(network, batch))]

    return parts_of


def _cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def make_evaluation(
    dtype: Any = jnp.float32,
    losses: Callable[[Any, Any, Any], Float[Array, " 3"]] = losses,
) -> Callable[[Any, Any], Float[Array, " 3"]]:
    """Compiled losses of a lesson, without learning from it."""

    @eqx.filter_jit
    def evaluate(network: Network, batch: Lesson) -> jax.Array:
        def add(_: None, part: Lesson) -> tuple[None, jax.Array]:
            return None, losses(network, part, dtype)

        return _over_parts(add, None, batch, network)[1]

    return evaluate


def _over_parts(add: Any, total: Any, batch: Lesson, network: Network) -> Any:
    """Scan `add` over parts of a minibatch: (last total, sum of the second results)."""
    rows = len(batch.action)
    size = _part(rows, network.floats(batch.inputs, len(batch.steps)))
    if size == rows:
        return add(total, batch)
    parts = jax.tree.map(
        lambda column: column.reshape(rows // size, size, *column.shape[1:]),
        batch._replace(steps=()),
    )
    total, found = jax.lax.scan(
        lambda total, part: add(total, part._replace(steps=batch.steps)), total, parts
    )
    return total, found.sum(axis=0)


def _part(rows: int, floats: int) -> int:
    """Episodes in a part: the largest divisor of `rows` that the cache allows.

    Where that is under 8 (long or prime-sized batches), the next larger: tiny parts are slow too.
    """
    if jax.default_backend() != "cpu":
        return rows
    divisors = [d for d in range(1, rows + 1) if rows % d == 0]
    fitting = max(d for d in divisors if d <= max(8, CACHED_FLOATS // floats))
    return fitting if fitting >= 8 else min((d for d in divisors if d >= 8), default=rows)
