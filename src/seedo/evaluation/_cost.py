"""What it takes a player to think: floating-point operations by XLA's count, and time."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from seedo.episodes import EpisodeBatch
from seedo.evaluation._replay import actions_on, seen_before
from seedo.experimenters import Experimenter, Observation
from seedo.worlds import Spec

BATCHED = 256
"""Episodes played at once when a player's speed in numbers is measured, if that is affordable."""
# Of programs that are counted but never run: what comes after the operations are settled.
_UNTUNED: dict[str, Any] = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}
_ENOUGH, _MOST = 0.2, 5.0  # seconds: of all repetitions; of one


@dataclass(frozen=True)
class Flops:
    """Operations of one player by phase, each the program of one episode compiled by itself.

    Attributes:
        init: before the first step.
        act: of one step, by phase.
        loops_once: how many loops of unknown length were counted as if they ran once.
        uncounted: calls into libraries, whose operations XLA does not know.
    """

    init: float
    act: dict[int, float]
    loops_once: int = 0
    uncounted: tuple[str, ...] = ()

    def of(self, phases: Sequence[int]) -> float:
        """Of a whole episode of these phases."""
        return self.init + sum(self.act[int(phase)] for phase in phases)


def flops_of(player: Experimenter, spec: Spec) -> Flops:
    """Operations that a player needs in a world of this spec, counted by XLA's cost analysis.

    `begin` and, for every phase that occurs, `act` are compiled for one episode on this device and
    XLA counts the operations of what it made of them: one for each element of an arithmetic,
    comparing or choosing instruction, two for each multiply-add of a matrix product; integers (as
    in random numbers) count like floats, while exp, log, tanh and the like do not count. A step's
    phase is known when it is compiled: what belongs to other phases is not in it. XLA counts
    the body of a loop once, however often it runs: loops of known length are compiled again by
    themselves and counted as often as they run. Only loops within one of JAX's own primitives (the
    five integer rounds of a random number) count once.
    """
    key = jax.random.key(0)
    expected = None
    if player.knows_system:
        rounds = (spec.rounds[-1] + 1,) if spec.rounds else ()
        shape = (*rounds, spec.n, len(spec.do_values), spec.n)
        expected = jax.ShapeDtypeStruct(shape, jnp.float32)
    count = _Count()
    begin = partial(player.begin, spec)
    state = jax.eval_shape(begin, key, expected)
    init = count(begin, key, expected)
    act = {}
    for phase in sorted(set(spec.phases)):
        act[phase] = count(partial(_act, player, phase), state, key, *_seen(spec.n))
    return Flops(init, act, count.loops_once, tuple(sorted(count.uncounted)))


def _act(player: Experimenter, phase: int, state: Any, key: Any, *seen: Any) -> Any:
    steps_left, target, value, outcome, relevant, goal = seen
    observation = Observation(
        phase=jnp.asarray(phase), steps_left=steps_left, target=target, value=value,
        outcome=outcome, relevant=relevant, goal=goal,
    )  # fmt: skip
    return player.act(state, observation, key)


def _seen(n: int) -> tuple[Any, ...]:
    number = jax.ShapeDtypeStruct((), jnp.int32)
    return (
        number, number, jax.ShapeDtypeStruct((), jnp.float32),
        jax.ShapeDtypeStruct((n,), jnp.float32), jax.ShapeDtypeStruct((n,), jnp.bool_), number,
    )  # fmt: skip


class _Count:
    """Counts programs' operations, and keeps account of what could not be counted."""

    def __init__(self) -> None:
        self.loops_once = 0
        self.uncounted: set[str] = set()

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> float:
        return self._whole(jax.make_jaxpr(function)(*arguments))

    def _whole(self, closed: Any) -> float:
        return self._compiled(closed) + self._beyond(closed)

    def _beyond(self, closed: Any) -> float:
        return self._again(closed.jaxpr, closed.consts, [None] * len(closed.jaxpr.invars))[0]

    def _compiled(self, closed: Any) -> float:
        """XLA's count of a program, with every loop's body in it once."""
        arguments = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in closed.jaxpr.invars]
        lowered = jax.jit(core.jaxpr_as_fun(closed)).lower(*arguments)
        compiled = lowered.compile(compiler_options=_UNTUNED)
        for line in (compiled.as_text() or "").splitlines():
            if 'custom_call_target="' in line:
                self.uncounted.add(line.partition('custom_call_target="')[2].partition('"')[0])
        found: Any = compiled.cost_analysis()
        found = found[0] if isinstance(found, list) else found
        return float((found or {}).get("flops", 0.0))

    def _again(self, jaxpr: Any, consts: Any, given: list[Any]) -> tuple[float, list[Any]]:
        """What loops do beyond their first turn; and the results that are known numbers."""
        values = dict(zip(jaxpr.constvars, consts, strict=True))
        values |= {v: x for v, x in zip(jaxpr.invars, given, strict=True) if x is not None}

        def read(atom: Any) -> Any:
            value = atom.val if isinstance(atom, core.Literal) else values.get(atom)
            return value if value is not None and np.ndim(value) == 0 else None

        total = 0.0
        for equation in jaxpr.eqns:
            operands = [read(atom) for atom in equation.invars]
            name, params = equation.primitive.name, equation.params
            results: list[Any] = [None] * len(equation.outvars)
            if name == "scan":
                body, turns = params["jaxpr"], int(params["length"])
                beyond = self._beyond(body)
                if turns > 1:
                    total += (turns - 1) * self._compiled(body)
                total += turns * beyond
            elif name == "while":
                self.loops_once += 1
            elif name == "cond":
                total += self._branches(params["branches"], operands)
            elif inner := [p for p in params.values() if isinstance(p, core.ClosedJaxpr)]:
                for closed in inner:
                    same = len(closed.jaxpr.invars) == len(operands)
                    passed = operands if same else [None] * len(closed.jaxpr.invars)
                    more, out = self._again(closed.jaxpr, closed.consts, passed)
                    total += more
                    results = out if len(out) == len(results) else results
            elif operands and all(x is not None for x in operands):
                out = equation.primitive.bind(*operands, **params)
                results = list(out) if equation.primitive.multiple_results else [out]
            values |= {
                v: x for v, x in zip(equation.outvars, results, strict=True) if x is not None
            }
        return total, [read(atom) for atom in jaxpr.outvars]

    def _branches(self, branches: Any, operands: list[Any]) -> float:
        """Of the branch taken, if that is known, else of the costliest, as XLA counts too."""
        if operands[0] is not None:
            branches = [branches[int(operands[0])]]
        return max(self._beyond(branch) for branch in branches)


@dataclass(frozen=True)
class Speed:
    """Milliseconds of an episode's thinking, once compiled.

    Attributes:
        single: one episode by itself.
        batched: an episode's share of `batch` played at once.
    """

    single: float
    batched: float
    batch: int


def speed_of(player: Experimenter, spec: Spec, batch: EpisodeBatch) -> Speed:
    """Median wall-clock time of a player's decisions over the histories of a log, warm.

    Only the player runs: what it sees comes from the log. At most `BATCHED` episodes at once, fewer
    (a power of two) for a player who would take more than some seconds.
    """
    expected = None
    if player.knows_system:
        rounds = (spec.rounds[-1] + 1,) if spec.rounds else ()
        expected = jnp.zeros((*rounds, spec.n, len(spec.do_values), spec.n))
    key = jax.random.key(0)

    def seconds(size: int) -> float:
        at = np.arange(size) % batch.rows
        seen = seen_before(batch, at)

        def run() -> None:
            jax.block_until_ready(actions_on(player, spec, key, jnp.asarray(at), seen, expected))

        run()  # compiles
        taken: list[float] = []
        while len(taken) < 3 or (sum(taken) < _ENOUGH and len(taken) < 100):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
            if taken[-1] > _MOST / 3:
                break
        return float(np.median(taken))

    single = seconds(1)
    size = BATCHED
    while size > 1 and size * single > _MOST:
        size //= 2
    together = seconds(size) if size > 1 else single
    return Speed(1e3 * single, 1e3 * together / size, size)


def this_machine() -> str:
    """What milliseconds were measured on."""
    device = jax.devices()[0]
    cores = f"{os.cpu_count()} cores, " if device.platform == "cpu" else ""
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    kind = platform.machine() if device.platform == "cpu" else device.device_kind
    return f"{device.platform} {kind}, {cores}jax {jax.__version__}{busy}"
