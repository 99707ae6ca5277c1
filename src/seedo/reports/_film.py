"""A film of an episode in rooms: what was seen, done, said, and expected to be said."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seedo.episodes import cannot_write, write_atomic
from seedo.errors import UserError
from seedo.play._rooms import play_rooms
from seedo.worlds import episode_key
from seedo.worlds.rooms import ACTIONS, RoomsWorld, words

_SCALE = 4
_CAPTION = 62
_MILLISECONDS = 450


def film(
    world: RoomsWorld,
    player: Any,
    seed: int,
    episode: int,
    path: str | os.PathLike[str],
    stream: str = "perform",
) -> None:
    """Writes a GIF of one episode, played as `perform` plays it.

    The caption gives the trial, the action, what is said and, for a network that predicts
    explanations, what it expected.

    Raises:
        UserError: the name does not end in .gif, or the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".gif":
        raise UserError("film", str(path), "name a file that ends in .gif")
    played = jax.tree.map(
        np.asarray, jax.jit(lambda key: play_rooms(world, player, key))(
            episode_key(seed, stream, episode))
    )  # fmt: skip
    frames = _frames(world, seed, stream, episode, played.action)
    images = []
    for step, frame in enumerate(frames):
        if played.finished[step]:
            break
        action = int(played.action[step])
        expected = "" if played.predicted is None else words(played.predicted[step])
        lines = (
            f"trial {int(played.trial[step]) + 1}"
            f"{' (counts)' if played.exploiting[step] else ''}: "
            f"{ACTIONS[action] if action >= 0 else 'looks'}"
            f"{f', reward {played.reward[step]:g}' if played.reward[step] else ''}",
            f"said: {words(played.tokens[step])}",
            *((f"expected: {expected}",) if played.predicted is not None else ()),
        )
        images.append(_captioned(frame, lines))
    data = io.BytesIO()
    images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=_MILLISECONDS,
                   loop=0)  # fmt: skip
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    write_atomic(target, data.getvalue())


def _frames(
    world: RoomsWorld, seed: int, stream: str, episode: int, actions: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """What is seen before every action, uint8[S, 99, 99, 3]."""

    @jax.jit
    def replay(key: Any, actions: Any) -> Any:
        task_key, _ = jax.random.split(key)
        task = world.sample(task_key)

        def step(state: Any, action: Any) -> tuple[Any, Any]:
            return world.step(task, state, action)[0], world.pixels(task, state)

        return jax.lax.scan(step, world.reset(task), actions)[1]

    return np.asarray(replay(episode_key(seed, stream, episode), actions))


def _captioned(frame: NDArray[np.uint8], lines: tuple[str, ...]) -> Image.Image:
    picture = Image.fromarray(frame).resize(
        (frame.shape[1] * _SCALE, frame.shape[0] * _SCALE), Image.Resampling.NEAREST
    )
    whole = Image.new("RGB", (picture.width, picture.height + _CAPTION), "white")
    whole.paste(picture, (0, 0))
    draw = ImageDraw.Draw(whole)
    for number, line in enumerate(lines):
        draw.text((6, picture.height + 4 + 18 * number), line, fill="black")
    return whole
