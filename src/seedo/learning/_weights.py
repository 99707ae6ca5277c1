"""Arrays of a pytree to safetensors and back; nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from seedo.errors import UserError

Tree = TypeVar("Tree")


def named_arrays(tree: Any) -> dict[str, np.ndarray]:
    """Every array of a pytree under the path that leads to it."""
    leaves = jax.tree_util.tree_flatten_with_path(eqx.filter(tree, eqx.is_array))[0]
    return {jax.tree_util.keystr(path).lstrip("."): np.asarray(leaf) for path, leaf in leaves}


def to_bytes(tree: Any) -> bytes:
    return save(named_arrays(tree))


def from_bytes(data: bytes, like: Tree, source: Path) -> Tree:
    """The pytree `like` with the stored arrays in place of its own.

    Raises:
        UserError: not safetensors, or other names, shapes or dtypes than `like` has.
    """
    stored = read_arrays(data, named_arrays(like), source)
    arrays, rest = eqx.partition(like, eqx.is_array)
    paths = jax.tree_util.tree_flatten_with_path(arrays)[0]
    leaves = [stored[jax.tree_util.keystr(path).lstrip(".")] for path, _ in paths]
    loaded = jax.tree.unflatten(jax.tree.structure(arrays), [jax.numpy.asarray(x) for x in leaves])
    return eqx.combine(loaded, rest)


def read_arrays(data: bytes, own: dict[str, np.ndarray], source: Path) -> dict[str, np.ndarray]:
    """The stored arrays, which must be like a network's own.

    Raises:
        UserError: not safetensors, other names, shapes or dtypes, or NaN or infinity in them.
    """
    try:
        stored: dict[str, np.ndarray] = load(data)
    except (SafetensorError, ValueError) as error:
        raise UserError(
            str(source), None, f"not a whole safetensors file ({error}): restore or train again"
        ) from error
    if set(stored) != set(own):
        odd = sorted(set(stored) ^ set(own))[0]
        raise UserError(str(source), None, f"array {odd!r} does not fit the network in agent.json")
    for name, array in own.items():
        if stored[name].shape != array.shape or stored[name].dtype != array.dtype:
            raise UserError(
                str(source),
                f"{name}: {stored[name].dtype}{list(stored[name].shape)}",
                f"agent.json's network needs {array.dtype}{list(array.shape)}",
            )
        if array.dtype.kind == "f" and not np.isfinite(stored[name]).all():
            raise UserError(str(source), None, f"array {name!r} holds NaN or infinity")
    return stored
