"""Explanations: what someone who knows the concept says at a step, in a fixed vocabulary.

Next to an object, before the choice: "red striped square in a corner" (in `meta` without the
position; in `confounded` and `deconfounded` only the value along the concept). After a
transformation: "its colour is now blue". After the choice, as long as it is dwelt on: "right: the
only red one", "wrong: two are red"; in `meta` with the reason: "right: colour decides, the only red
one".
"""

from __future__ import annotations

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from seedo.worlds.rooms._attributes import (
    COLOUR,
    DIMENSIONS,
    POSITION,
    SHAPE,
    TEXTURE,
    VALUES,
)
from seedo.worlds.rooms._config import RoomsConfig
from seedo.worlds.rooms._rules import (
    CHANGED,
    NOT_ALLOWED,
    NOTHING_NEAR,
    RoomState,
    alike,
    room,
    touched,
)
from seedo.worlds.rooms._task import RoomTask

MAX_WORDS = 7
"""Words of the longest explanation; shorter ones are followed by 0."""

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PLACES = (("in", "a", "corner"), ("by", "wall", "x"), ("by", "wall", "y"), ("in", "the", "centre"))
_PHRASES = (
    "right: wrong: the only are decides, its is now nothing to change here may you row column"
)

vocabulary: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            "",
            *(name for values in VALUES[:3] for name in values),
            *DIMENSIONS,
            *(word for place in _PLACES for word in place),
            *_NUMBERS,
            *_PHRASES.split(),
        )
    )
)
"""Every word; a token is an index into it, 0 the absence of a word."""

_CODE = {word: code for code, word in enumerate(vocabulary)}


def _phrase(text: str) -> np.ndarray:
    codes = [_CODE[word] for word in text.split()]
    return np.array(codes + [0] * (MAX_WORDS - len(codes)), np.int32)


_NAMES = np.zeros((3, max(map(len, VALUES[:3]))), np.int32)
for _dimension in (COLOUR, SHAPE, TEXTURE):
    _codes = [_CODE[name] for name in VALUES[_dimension]]
    _NAMES[_dimension, : len(_codes)] = _codes
_WHERE = np.array([[_CODE[word] for word in place] for place in _PLACES], np.int32)
_COUNTS = np.array([_CODE[word] for word in _NUMBERS], np.int32)
_ABOUT = np.array([_CODE[name] for name in DIMENSIONS], np.int32)


def words(tokens: Iterable[int]) -> str:
    """The text of some tokens."""
    return " ".join(vocabulary[int(token)] for token in tokens if int(token))


def explain(config: RoomsConfig, task: RoomTask, state: RoomState) -> Int[Array, " L"]:
    """What is said in this state; zeros where nothing is."""
    now = room(task, state)
    silent = jnp.zeros(MAX_WORDS, jnp.int32)
    said = silent
    if config.explain in ("properties", "full"):
        near = touched(now.cells, state.agent)
        thing = now.objects[jnp.argmax(near)]
        said = jnp.where(near.any(), _properties(config, task, thing), silent)
        if config.level == "meta":
            changed = now.objects[jnp.maximum(state.changed, 0)]
            said = jnp.where(state.effect == CHANGED, _transformed(changed, state.along), said)
        for effect, text in (
            (NOTHING_NEAR, "nothing to change here"),
            (NOT_ALLOWED, "nothing may change now"),
        ):
            said = jnp.where(state.effect == effect, jnp.asarray(_phrase(text)), said)
        said = jnp.where(state.chosen < 0, said, silent)
    if config.explain in ("verdict", "full"):
        thing = jnp.maximum(state.chosen, 0)
        count = alike(now.objects)[thing, task.concept]
        verdict = _verdict(config, task.concept, now.objects[thing], count, count == 1)
        said = jnp.where(state.chosen >= 0, verdict, said)
    return jnp.where(state.finished, silent, said)


def _line(*parts: Array | str) -> Int[Array, " L"]:
    codes: list[Array] = []
    for part in parts:
        if isinstance(part, str):
            codes += [jnp.asarray(_CODE[word], jnp.int32) for word in part.split()]
        else:
            codes += list(part) if part.ndim else [part]
    codes += [jnp.zeros((), jnp.int32)] * (MAX_WORDS - len(codes))
    return jnp.stack(codes)


def _name(thing: Int[Array, " 4"], dimension: Array | int) -> Int[Array, ""]:
    """The word for an object's colour, shape or texture."""
    kind = jnp.minimum(dimension, TEXTURE)
    return jnp.asarray(_NAMES)[kind, thing[kind]]


def _properties(config: RoomsConfig, task: RoomTask, thing: Int[Array, " 4"]) -> Array:
    if config.level in ("confounded", "deconfounded"):
        return _line(_name(thing, task.concept))
    look = [_name(thing, dimension) for dimension in (COLOUR, TEXTURE, SHAPE)]
    if config.level == "meta":
        return _line(*look)
    return _line(*look, jnp.asarray(_WHERE)[thing[POSITION]])


def _transformed(thing: Int[Array, " 4"], dimension: Int[Array, ""]) -> Array:
    dimension = jnp.maximum(dimension, 0)
    return _line("its", jnp.asarray(_ABOUT)[dimension], "is now", _name(thing, dimension))


def _verdict(
    config: RoomsConfig, dimension: Array, thing: Int[Array, " 4"], count: Array, right: Array
) -> Array:
    name, place = _name(thing, dimension), jnp.asarray(_WHERE)[thing[POSITION]]
    number = jnp.asarray(_COUNTS)[count - 1]
    if config.level == "meta":
        about = jnp.asarray(_ABOUT)[dimension]
        yes = _line("right:", about, "decides, the only", name, "one")
        return jnp.where(right, yes, _line("wrong:", about, "decides,", number, "are", name))
    yes, no = _line("right: the only", name, "one"), _line("wrong:", number, "are", name)
    if config.level == "basic":
        somewhere = dimension == POSITION
        yes = jnp.where(somewhere, _line("right: the only one", place), yes)
        no = jnp.where(somewhere, _line("wrong:", number, "are", place), no)
    return jnp.where(right, yes, no)


# -- controls: explanations that should teach nothing, or the wrong thing --------------------------


def irrelevant(tokens: Int[Array, " L"], state: RoomState) -> Int[Array, " L"]:
    """A true statement about the agent's own place wherever something was said."""
    row, column = jnp.asarray(_COUNTS)[state.agent - 1]
    place = _line("you are in row", row, "column", column)
    return jnp.where((tokens > 0).any(), place, jnp.zeros_like(tokens))


def shuffled(
    tokens: Int[Array, "S L"], live: Bool[Array, " S"], key: PRNGKeyArray
) -> Int[Array, "S L"]:
    """An episode's explanations in random order over its live steps (those before its end)."""
    order = jnp.where(live, jax.random.uniform(key, live.shape), 2.0 + jnp.arange(len(live)))
    mixed = tokens[jnp.argsort(order)]
    # Live steps come first in `mixed`, and the k-th live step takes the k-th of them.
    rank = jnp.cumsum(live) - 1
    return jnp.where(live[:, None], mixed[jnp.maximum(rank, 0)], tokens)


def wrong_verdict(
    config: RoomsConfig, task: RoomTask, state: RoomState, key: PRNGKeyArray
) -> Int[Array, " L"]:
    """What is said, but every verdict is false: right for wrong and wrong for right, and in `meta`
    another dimension is said to decide. Give all steps of an episode the same key: then it is the
    same dimension throughout."""
    said = explain(config, task, state)
    if config.explain not in ("verdict", "full"):
        return said
    now, thing = room(task, state), jnp.maximum(state.chosen, 0)
    right = alike(now.objects)[thing, task.concept] == 1
    dimension = task.concept
    if config.level == "meta":
        dimension = (dimension + jax.random.randint(key, (), 1, 3)) % 3
    count = alike(now.objects)[thing, dimension]
    # A false reason for a false "wrong": more are said to share the value than do.
    claimed = count % 4 + 1
    verdict = _verdict(config, dimension, now.objects[thing], claimed, ~right)
    return jnp.where((state.chosen >= 0) & ~state.finished, verdict, said)
