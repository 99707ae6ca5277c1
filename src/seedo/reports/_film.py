"""A film of an episode in rooms: what was seen, done, said, and expected to be said."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from seedo.episodes import cannot_write, write_atomic
from seedo.errors import UserError
from seedo.play import play, set_up
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
    key = episode_key(seed, stream, episode)
    played = jax.tree.map(np.asarray, eqx.filter_jit(play)(world, player, key)).rows
    frames = _frames(world, key, played.action)
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
            f"said: {words(played.words[step])}",
            *((f"expected: {expected}",) if played.predicted is not None else ()),
        )
        images.append(_captioned(np.asarray(frame), lines))
    data = io.BytesIO()
    images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=_MILLISECONDS,
                   loop=0)  # fmt: skip
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(target.parent, error) from error
    write_atomic(target, data.getvalue())


@eqx.filter_jit
def _frames(world: RoomsWorld, key: Any, actions: Any) -> Any:
    """What is seen before every action, uint8[S, 99, 99, 3]."""
    task = set_up(world, key).task
    states, _ = world.retrace(task, actions)
    return jax.vmap(lambda state: world.pixels(task, state))(states)


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
