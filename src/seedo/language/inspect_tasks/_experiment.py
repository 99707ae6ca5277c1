"""Tasks whose samples are episodes of a world."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample

from seedo import worlds
from seedo.errors import UserError
from seedo.language.runs import Examples, first_examples, same_world
from seedo.language.runs.inspect import (
    episode_return,
    episode_samples,
    play_scene,
    recitation_return,
)
from seedo.language.scenes import Conditions
from seedo.play import check_size

Settings = dict[str, Any] | Sequence[str] | str | None
"""Options of a world: a mapping, JSON, "k=v,k=v" or a list of "k=v"."""

STREAM = "perform"
ARMS = ("experiments", "zero")


@task
def experiment(
    world: str = "dag",
    split: str = "train",
    n: int | None = None,
    episodes: int = 100,
    seed: int = 0,
    experiments: int | None = None,
    settings: Settings = None,
    names: str = "nonsense",
    instruction: str = "rules",
    reasoning: bool = False,
    check: bool = False,
    structure: bool = False,
    recap: bool = False,
    examples: int = 0,
    explanations: bool = False,
    tools: str = "none",
    decimals: int = 1,
    attempts: int = 3,
    turns: bool = True,
    strict: bool = False,
    examples_player: str = "scripted:expert",
    examples_seed: int = 0,
    examples_indices: Sequence[int] | str | None = None,
) -> Task:
    """Experiment on unknown systems, then use what was found out.

    Args:
        world: any, by name or as `module:Class`.
        split: of the world.
        n: variables (`dag`, `blicket`).
        episodes: one sample each; the first of stream `perform`, which every player meets.
        seed: of the stream.
        experiments: before the scored actions.
        settings: any other option of the world.
        names, instruction, ..., strict: see `seedo.language.Conditions`.
        examples_player, examples_seed: who plays the examples, and the seed of their stream.
        examples_indices: which are shown; the first `examples` if None.
    """
    conditions = Conditions(
        names=names,
        instruction=instruction,
        reasoning=reasoning,
        check=check,
        structure=structure,
        recap=recap,
        examples=examples,
        explanations=explanations,
        tools=tools,
        decimals=decimals,
        attempts=attempts,
        turns=turns,
        strict=strict,
    )
    stage = _open_world(world, split, _given(n=n, experiments=experiments), settings)
    shown = _examples(conditions, examples_player, examples_seed, examples_indices)
    samples = _samples(stage, episodes, seed, conditions, shown)
    return Task(MemoryDataset(samples), solver=play_scene(), scorer=episode_return())


@task
def odd_one_out(
    split: str = "train",
    episodes: int = 100,
    seed: int = 0,
    experiments: int | None = None,
    settings: Settings = None,
    names: str = "nonsense",
    instruction: str = "rules",
    reasoning: bool = False,
    check: bool = False,
    examples: int = 0,
    explanations: bool = False,
    tools: str = "none",
    attempts: int = 3,
    turns: bool = True,
    strict: bool = False,
) -> Task:
    """Find out which property makes an object the odd one, then take the odd one out.

    World `rooms` as lists of objects; see `experiment` for the parameters.
    """
    conditions = Conditions(
        names=names,
        instruction=instruction,
        reasoning=reasoning,
        check=check,
        examples=examples,
        explanations=explanations,
        tools=tools,
        attempts=attempts,
        turns=turns,
        strict=strict,
    )
    stage = _open_world("rooms", split, _given(experiments=experiments), settings)
    shown = _examples(conditions, "scripted:expert", 0, None)
    samples = _samples(stage, episodes, seed, conditions, shown)
    return Task(MemoryDataset(samples), solver=play_scene(), scorer=episode_return())


@task
def recitation(
    kinds: Sequence[str] | str = ("familiar", "nonsense", "contrary", "permuted"),
    arms: Sequence[str] | str = ARMS,
    split: str = "train",
    n: int | None = None,
    episodes: int = 50,
    seed: int = 0,
    experiments: int | None = None,
    settings: Settings = None,
    instruction: str = "rules",
    reasoning: bool = False,
    tools: str = "none",
    decimals: int = 1,
    attempts: int = 3,
    turns: bool = True,
    strict: bool = False,
) -> Task:
    """How much is recited from names, and how much discovered by experiments?

    The same systems of world `dag` under every kind of names, with experiments and with none.

    Args:
        kinds: of names, see `seedo.language.Conditions`; a sequence, or separated by commas.
        arms: `experiments`, `zero`.
        episodes: systems; each is one sample in every cell.
        split, n, seed, experiments, settings: see `experiment`.
        instruction, reasoning, tools, decimals, attempts, turns, strict: see `experiment`.
    """
    chosen = _words(kinds)
    wanted = _words(arms)
    for arm in wanted:
        if arm not in ARMS:
            raise UserError("arms", arm, f"use {' or '.join(ARMS)}")
    cells: list[list[Sample]] = []
    for arm in wanted:
        steps = 0 if arm == "zero" else experiments
        stage = _open_world("dag", split, _given(n=n, experiments=steps), settings)
        for kind in chosen:
            conditions = Conditions(
                names=kind,
                instruction=instruction,
                reasoning=reasoning,
                tools=tools,
                decimals=decimals,
                attempts=attempts,
                turns=turns,
                strict=strict,
            )
            cell = {"names": kind, "arm": arm, "cell": f"{kind}/{arm}"}
            cells.append(_samples(stage, episodes, seed, conditions, None, cell))
    # All cells of a system together: `limit` keeps systems whole.
    samples = [sample for of_system in zip(*cells, strict=True) for sample in of_system]
    return Task(MemoryDataset(samples), solver=play_scene(), scorer=recitation_return())


def _samples(
    world: Any,
    episodes: int,
    seed: int,
    conditions: Conditions,
    examples: Examples | None,
    cell: dict[str, str] | None = None,
) -> list[Sample]:
    check_size(episodes, seed)
    return episode_samples(world, range(episodes), seed, STREAM, conditions, examples, cell)


def _open_world(name: str, split: str, options: dict[str, Any], settings: Settings) -> Any:
    made = worlds.make(name, split=split, **(read_settings(settings) | options))
    return same_world(name, made.config())


def _given(**options: Any) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value is not None}


def _words(given: Sequence[str] | str) -> list[str]:
    return given.replace(",", " ").split() if isinstance(given, str) else list(given)


def _examples(
    conditions: Conditions, player: str, seed: int, indices: Sequence[int] | str | None
) -> Examples | None:
    if conditions.examples == 0:
        return None
    if indices is None:
        return first_examples(conditions, seed, player)
    words = _words(indices) if isinstance(indices, str) else [str(i) for i in indices]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UserError("examples_indices", indices, "use whole numbers from 0")
    chosen = tuple(int(word) for word in words)
    if len(chosen) != conditions.examples:
        raise UserError("examples_indices", indices, f"name {conditions.examples} episodes")
    return dataclasses.replace(first_examples(conditions, seed, player), indices=chosen)


def read_settings(settings: Settings) -> dict[str, Any]:
    """Options of a world as given on a command line.

    Raises:
        UserError: none of the forms of `Settings`.
    """
    if settings is None or isinstance(settings, dict):
        return _lists_to_tuples(settings or {})
    if isinstance(settings, str):
        if settings.lstrip().startswith("{"):
            try:
                found = json.loads(settings)
            except (ValueError, RecursionError):
                raise UserError("settings", settings, "use JSON or k=v,k=v") from None
            return _lists_to_tuples(found)
        settings = [part for part in settings.split(",") if part.strip()]
    pairs: dict[str, Any] = {}
    for part in settings:
        key, equals, value = str(part).partition("=")
        if not equals or not key.strip():
            raise UserError("settings", part, "use JSON or k=v,k=v")
        pairs[key.strip()] = _plain(value.strip())
    return _lists_to_tuples(pairs)


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _lists_to_tuples(options: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
