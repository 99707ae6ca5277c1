"""Whether a world keeps the protocol, said in plain words before anything is played."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from seedo.errors import UserError, in_one_line
from seedo.worlds._spec import PHASES, Spec
from seedo.worlds._world import Action, Observation, World

ACTION = Action(jax.ShapeDtypeStruct((), jnp.int32), jax.ShapeDtypeStruct((), jnp.float32))  # type: ignore[arg-type]
"""Shapes of an action."""


def _setting_of(n: int) -> Action:
    return ACTION._replace(setting=jax.ShapeDtypeStruct((n,), jnp.float32))  # type: ignore[arg-type]


def check(world: Any) -> None:
    """See that a world keeps the protocol; nothing is played, so that devices stay untouched.

    Raises:
        UserError: it does not, and where.
    """
    if not isinstance(world, World):
        raise UserError("world", repr(world)[:80], "subclass seedo.worlds.World")
    if not isinstance(getattr(world, "name", None), str) or not world.name:
        raise UserError("world", type(world).__name__, "it has no name: give the class one")
    owner = f"world {world.name}"
    _check_spec(owner, getattr(world, "spec", None))
    _check_config(owner, world)
    if world.host:
        return
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = traced(owner, "sample", world.sample, key)
    state = traced(owner, "reset", world.reset, task, key)
    seen = traced(owner, "observe", world.observe, task, state)
    _check_seen(owner, world, seen)
    action = ACTION if world.spec.space is None else _setting_of(world.spec.n)
    found = traced(owner, "step", world.step, task, state, action, key)
    if not isinstance(found, tuple) or len(found) != 3:
        raise UserError(owner, None, "step: give (state, reward, done)")
    after, reward, done = found
    same(owner, "step", "state", state, after)
    shaped(owner, "step: reward", reward, ())
    shaped(owner, "step: done", done, ())
    references = traced(owner, "references", world.references, task)
    if len(references) != 2:
        raise UserError(owner, None, "references: give (oracle, random)")
    shaped(owner, "references: oracle", references[0], ())
    shaped(owner, "references: random", references[1], ())
    shaped(owner, "legal", traced(owner, "legal", world.legal, task, state, action), ())
    row = traced(owner, "row", world.row, task, state, action, reward, after)
    rows = jax.tree.map(lambda a: jax.ShapeDtypeStruct((world.spec.steps, *a.shape), a.dtype), row)
    traced(owner, "rollout", world.rollout, task, rows)


def traced(owner: str, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The shapes of what a pure method gives, without running it.

    Raises:
        UserError: it cannot be compiled, naming `owner` and the method, `what`.
    """
    try:
        return jax.eval_shape(function, *arguments)
    except UserError:
        raise
    except jax.errors.JAXTypeError as error:
        remedy = (
            f"{what}: Python `if`, float(), int() or NumPy on a value that is known only when it "
            "runs; use jnp.where and jnp, or say host = True for plain Python"
        )
        raise UserError(owner, None, remedy) from error
    except Exception as error:  # whatever others' code does
        raise UserError(owner, None, f"{what}: {in_one_line(error)}") from error


def same(owner: str, what: str, thing: str, before: Any, after: Any) -> None:
    """Raises UserError unless two structures of shapes agree, as what is carried must."""
    parts: tuple[Any, Any] = jax.tree.structure(before), jax.tree.structure(after)
    if parts[0] != parts[1]:
        raise UserError(owner, None, f"{what}: its {thing} has other parts than before the step")
    paths = jax.tree_util.tree_leaves_with_path(before)
    for (path, old), new in zip(paths, jax.tree.leaves(after), strict=True):
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            part = f"{thing}{jax.tree_util.keystr(path)}"
            change = f"{old.dtype}{list(old.shape)} became {new.dtype}{list(new.shape)}"
            raise UserError(owner, None, f"{what}: {part}, {change}; keep shape and type")


def shaped(owner: str, what: str, found: Any, shape: tuple[int, ...]) -> None:
    """Raises UserError unless an array has this shape."""
    if getattr(found, "shape", None) != shape:
        has = getattr(found, "shape", type(found).__name__)
        raise UserError(owner, None, f"{what}: shape {has}, where {shape} belongs")


def _check_spec(owner: str, spec: Any) -> None:
    if not isinstance(spec, Spec):
        raise UserError(owner, None, "it has no spec: set one, a seedo.worlds.Spec, in __init__")
    names = spec.variables
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise UserError(owner, None, "spec: variables are one or more different names")
    if spec.space is not None:
        _check_space(owner, spec)
    elif not spec.do_values or not all(math.isfinite(value) for value in spec.do_values):
        raise UserError(owner, None, "spec: do_values are one or more finite numbers")
    if not spec.phases or not all(phase in range(len(PHASES)) for phase in spec.phases):
        raise UserError(owner, None, "spec: phases are OBSERVE, EXPLORE or EXPLOIT, one a step")


def _check_space(owner: str, spec: Spec) -> None:
    space = spec.space
    assert space is not None
    if spec.do_values:
        raise UserError(owner, None, "spec: give do_values or a space, not both")
    if spec.variables[: space.size] != space.names:
        raise UserError(owner, None, "spec: the variables begin with the knobs of the space")
    for name in spec.goals.readings if spec.goals else ():
        if name not in spec.readings:
            raise UserError(owner, None, f"spec: goal {name} is no reading")


def _check_config(owner: str, world: World) -> None:
    """A log must be able to say which world it is of."""
    try:
        config = json.dumps(world.config(), sort_keys=True)
        again = type(world).from_config(json.loads(config))
        same_config = json.dumps(again.config(), sort_keys=True) == config
    except NotImplementedError as error:
        raise UserError(owner, None, "it has no config: give its settings as a dict") from error
    except Exception as error:  # whatever others' code does
        raise UserError(owner, None, f"config: {in_one_line(error)}") from error
    if not same_config or type(again) is not type(world):  # its name may be `module:Class` here
        raise UserError(owner, None, "config: from_config makes another world of it")


def _check_seen(owner: str, world: World, seen: Any) -> None:
    if not isinstance(seen, Observation):
        if type(world).row is World.row:
            remedy = "observe: give an Observation, or write row, rollout and to_log too"
            raise UserError(owner, None, remedy)
        return
    wide = ("outcome", "relevant", "setting")
    for field, entry in seen._asdict().items():
        if field == "setting" and world.spec.space is None:
            continue
        shape = (world.spec.n,) if field in wide else ()
        shaped(owner, f"observe: {field}", entry, shape)
