"""World `rooms` in the lab: pictures, and what is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import ROOMS_PLAYERS
from seedo.lab._room_frames import room_frames, room_setting, tell_rooms, walk
from seedo.lab._scenario import STREAM, Scenario
from seedo.lab._shown import Progress, Shown, Truth
from seedo.language import Conditions, RoomsScene
from seedo.worlds import episode_key
from seedo.worlds.rooms import ACTIONS, logged_actions


class Rooms(Shown):
    """World `rooms`."""

    title = "rooms"
    pooled = False
    shape = "room"
    players = tuple(f"scripted:{name}" for name in ROOMS_PLAYERS)
    usual = ("scripted:expert", "scripted:last-rewarded")

    def about(self, scenario: Scenario) -> str:
        c: Any = scenario.config
        return f"Rooms, level {c.level}: {c.trials} trial{'s' if c.trials > 1 else ''}"

    def setting(self, scenario: Scenario) -> dict[str, Any]:
        return room_setting(scenario)

    def frames(self, scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
        return room_frames(scenario, name)

    def scene(self, scenario: Scenario, names: str) -> Any:
        where = (scenario.stage(), scenario.seed, STREAM, scenario.index)
        return RoomsScene(*where, Conditions(names=names))

    def tell(self, scenario: Scenario, scene: Any) -> dict[str, Any]:
        return tell_rooms(scenario, scene.episode.actions)

    def compared(self, scenario: Scenario) -> str:
        return f"World rooms, level {scenario.config.level}"

    def did(self, batch: EpisodeBatch) -> list[str]:
        # The rest of an episode is blank.
        actions = logged_actions(batch)[0]
        acted = np.flatnonzero(actions >= 0)
        lived = int(acted[-1]) + 1 if len(acted) else 1
        return [ACTIONS[a] if a >= 0 else "nothing" for a in actions[:lived]]

    def pictures(self, batch: EpisodeBatch, stream: str | None) -> NDArray[np.uint8]:
        if stream is None:
            remedy = "the log does not say: the rooms cannot be drawn again"
            raise UserError("stream", None, remedy)
        world = Scenario.of_log(batch).stage()
        actions = logged_actions(batch)[0]
        if len(actions) != world.spec.steps:
            raise UserError("steps", len(actions), f"this world has {world.spec.steps}")
        key = episode_key(batch.origin.seed, stream, int(batch.episode_id[0]))
        seen, reward = (np.asarray(x) for x in walk(world, key, actions))
        logged = batch.outcome[0, :, batch.origin.variables.index("reward")]
        if not np.allclose(reward, logged, atol=1e-4):
            raise UserError(
                "rooms", None, "drawn again, these steps earn something else: not shown"
            )
        return seen[: len(self.did(batch))]

    def _with_other_noise(
        self, scenario: Scenario, batch: EpisodeBatch, truth: Truth | None
    ) -> Scenario:
        remedy = "these rooms were drawn to learn from, and the lab plays others"
        raise UserError("log", None, remedy)
