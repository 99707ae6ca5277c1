"""How episodes in rooms are laid out in the log.

A move sets variable `move` to a direction (0 to 7); a transformation sets `colour`, `texture` or
`shape` (actions 8 to 10). The outcome of a step is what it did: the direction, the reward, the
trial it belongs to (from 0) and the object it chose, if any. What was seen is not stored: it is
played again from seed, stream, episode id and actions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch, Origin
from seedo.errors import UserError
from seedo.worlds._spec import EXPLOIT, EXPLORE
from seedo.worlds.rooms._rules import FIRST_TRANSFORM, TRANSFORMED

VARIABLES = ("move", "colour", "texture", "shape", "reward", "trial", "object")
"""Columns of an episode of rooms in a log."""
_REWARD = VARIABLES.index("reward")


def room_log(
    origin: Origin,
    episode_id: NDArray[np.int64],
    action: NDArray[np.int32],
    reward: NDArray[np.float32],
    trial: NDArray[np.int32],
    chosen: NDArray[np.int32],
    exploiting: NDArray[np.bool_],
    explanation: list[list[str]] | None,
) -> EpisodeBatch:
    """Episodes in rooms as a log.

    Args:
        origin: its variables are `VARIABLES`.
        episode_id: int64[B].
        action: int32[B, S], 0 to 10; -1 for nothing.
        reward: float32[B, S], of that action.
        trial: int32[B, S], the trial it belongs to.
        chosen: int32[B, S], the object that it chose, -1 if none.
        exploiting: bool[B, S], in the trial that counts.
        explanation: what was said before each action.
    """
    acted = action >= 0
    moved = acted & (action < FIRST_TRANSFORM)
    outcome = np.full((*action.shape, len(VARIABLES)), np.nan, np.float32)
    outcome[..., 0] = np.where(moved, action, np.nan)
    outcome[..., _REWARD] = reward
    outcome[..., _REWARD + 1] = trial
    outcome[..., _REWARD + 2] = np.where(chosen >= 0, chosen, np.nan)
    won: NDArray[np.bool_] = np.any((reward > 0) & exploiting, axis=1)
    return EpisodeBatch(
        origin=origin,
        episode_id=episode_id,
        phase=np.where(exploiting, EXPLOIT, EXPLORE),
        target=np.where(moved, 0, np.where(acted, action - FIRST_TRANSFORM + 1, -1)),
        value=np.where(acted, np.where(moved, action, 1), np.nan),
        outcome=outcome,
        mask=np.ones((len(action), len(VARIABLES)), np.bool_),
        goal=np.where(exploiting, _REWARD, -1),
        returns=won.astype(np.float32),
        oracle_return=np.ones(len(action), np.float32),
        random_return=np.full(len(action), 0.25, np.float32),
        explanation=explanation,
    )


def logged_actions(batch: EpisodeBatch) -> NDArray[np.int32]:
    """The actions of a log, int32[B, S], -1 for nothing; the inverse of `room_log`.

    Raises:
        UserError: not a log of rooms, or a move that is none.
    """
    if batch.origin.variables != VARIABLES:
        raise UserError("variables", batch.origin.variables, f"a rooms log has {VARIABLES}")
    moved = batch.target == 0
    direction = np.where(moved, batch.value, 0)
    if not np.isin(direction, np.arange(FIRST_TRANSFORM)).all():
        raise UserError("value", float(direction.max()), "a move is a direction from 0 to 7")
    if (batch.target > len(TRANSFORMED)).any():
        raise UserError("target", int(batch.target.max()), "only move, colour, texture and shape")
    changed = np.where(batch.target > 0, batch.target + FIRST_TRANSFORM - 1, -1)
    return np.where(moved, direction, changed).astype(np.int32)
