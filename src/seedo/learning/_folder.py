"""The folder that an agent lives in."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from seedo.errors import UserError
from seedo.experimenters import parse_name
from seedo.learning._weights import Tree, from_bytes
from seedo.storage import local_copy

FORMAT = 1
"""Version of the agent folder: agent.json, weights.safetensors, metrics.jsonl and, to go on
training, optimizer.safetensors."""

PRETRAINED = ("dag", "dag-plain", "dag-soft", "dag-text")
"""Agents that come with the package, as `pretrained:NAME`."""


class Stored(NamedTuple):
    """An agent's folder, read but for its weights."""

    folder: Path
    name: str
    architecture: dict[str, Any]
    training: dict[str, Any]
    history: list[dict[str, Any]]


def read_agent(path: str | Path) -> Stored:
    """The folder of an agent, or of the shipped one, e.g. `pretrained:dag`.

    Raises:
        UserError: no such agent; a file missing, damaged or of another format.
    """
    folder, name = agent_folder(path)
    description = read_description(folder)
    history = read_history(folder / "metrics.jsonl")
    return Stored(folder, name, description["architecture"], description["training"], history)


def agent_folder(path: str | Path) -> tuple[Path, str]:
    """The folder of an agent, shipped or the user's own, and the agent's name."""
    name = str(path)
    kind, shipped = parse_name(name)
    if kind != "pretrained":
        folder = local_copy(name, "agent.json")
        return folder, folder.name or name
    if shipped not in PRETRAINED:
        raise UserError("agent", name, f"shipped agents: {', '.join(PRETRAINED)}")
    return Path(str(resources.files("seedo") / "pretrained" / shipped)), name


def read_weights(folder: Path, make: Callable[[], Tree]) -> Tree:
    """The network that `make` makes, with the stored weights."""
    path = folder / "weights.safetensors"
    # Its shapes only: to draw weights that are replaced at once takes seconds of compiling.
    shapes = eqx.filter_eval_shape(make)
    like: Tree = jax.tree.map(
        lambda leaf: (
            jnp.asarray(np.zeros(leaf.shape, leaf.dtype))
            if isinstance(leaf, jax.ShapeDtypeStruct)
            else leaf
        ),
        shapes,
    )
    return from_bytes(read_file(path), like, path)


def read_file(path: Path) -> bytes:
    """A file of an agent's folder.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(str(path), None, f"cannot read: {error.strerror}") from error


def read_description(folder: Path) -> dict[str, Any]:
    """agent.json, checked."""
    path = folder / "agent.json"
    try:
        text = path.read_text()
    except FileNotFoundError:
        unfinished = (folder / "checkpoint").is_dir() or (folder / "checkpoint.old").is_dir()
        if unfinished:
            remedy = "training is not finished: run the same `seedo learn` with --resume"
        else:
            what = (
                "not an agent folder (no agent.json)"
                if folder.is_dir()
                else "there is no such folder"
            )
            remedy = f"{what}: give one that `seedo learn` wrote, pretrained:NAME or scripted:NAME"
        raise UserError("agent", str(folder), remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(str(path), None, f"cannot read: {error}") from error
    try:
        description = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UserError(str(path), None, f"not JSON ({error}): restore or train again") from error
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        found = description.get("format") if isinstance(description, dict) else None
        raise UserError(
            f"{path}: format", found, f"this version reads format {FORMAT}: train again"
        )
    for field in ("architecture", "training"):
        if not isinstance(description.get(field), dict):
            raise UserError(f"{path}: {field}", description.get(field), "must be an object")
    return description


def read_history(path: Path) -> list[dict[str, Any]]:
    """Rows of a metrics.jsonl; none when the file is missing."""
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(str(path), None, f"not JSON lines ({error}): delete or restore") from error


def count_parameters(network: Any) -> int:
    """How many numbers a network has learnt."""
    return sum(x.size for x in jax.tree.leaves(eqx.filter(network, eqx.is_array)))
