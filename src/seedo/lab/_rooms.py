"""World `rooms` in the lab: pictures, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import ROOMS_PLAYERS
from seedo.lab._cast import player
from seedo.lab._naming import Naming
from seedo.lab._room_frames import (
    describe,
    room_frames,
    room_picture,
    room_setting,
    tell_rooms,
    walk,
)
from seedo.lab._scenario import STREAM, Scenario
from seedo.lab._shown import Progress, Shown, Truth
from seedo.lab._turns import Line, Option, Turn
from seedo.language import Conditions, RoomsScene
from seedo.play import Choice, Live, LiveRooms, RoomsActor
from seedo.worlds import EXPLOIT, EXPLORE, episode_key
from seedo.worlds.rooms import ACTIONS, DIMENSIONS, logged_actions

_TAKE = -1.0
"""The value of a choice that takes its object; others are what to change of it."""
_MOST_TRIALS = 20


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

    # -- Play -------------------------------------------------------------------------------------

    def not_for_people(self, scenario: Scenario) -> str:
        trials = scenario.config.trials
        return f"has {trials} trials: a person plays {_MOST_TRIALS} at most" \
            if trials > _MOST_TRIALS else ""  # fmt: skip

    def opponents(self, scenario: Scenario) -> tuple[str, ...]:
        return self.usual

    def begin(self, scenario: Scenario) -> LiveRooms:
        return LiveRooms(scenario.stage(), scenario.seed, STREAM, scenario.index)

    def actor(self, name: str, scenario: Scenario, episode: Any) -> RoomsActor:
        return RoomsActor(player(name, scenario), episode)

    def lead(self, scenario: Scenario) -> str:
        return (
            "Four objects lie in every room, and one of them is the odd one out in what decides: "
            "its colour, shape, texture or place, the same in every room. Taking it is rewarded. "
            "Find out what decides; only the last room counts."
        )

    def stages(self, episode: Any) -> tuple[list[int], int]:
        trials = episode.world.settings.trials
        over = trials if episode.finished else int(episode.symbolic.trial)
        return [EXPLORE] * (trials - 1) + [EXPLOIT], over

    def columns(self, naming: Naming) -> list[str]:
        return ["reward", "said"]

    def turn(self, episode: Any, naming: Naming) -> Turn:
        seen, trials = episode.symbolic, episode.world.settings.trials
        trial = int(seen.trial) + 1
        counts = "this one counts" if episode.exploiting else "an experiment"
        change = bool(seen.transforms)
        lines = []
        for i, look in enumerate(describe(seen.objects)):
            options = [Option(i, _TAKE, "Take it")]
            options += [
                Option(i, float(d), f"Change its {DIMENSIONS[d]}") for d in range(3) if change
            ]
            lines.append(Line(look, tuple(options)))
        cue = int(seen.cue)
        task = (
            "Change one thing of one object first, or take one." if change else "Take one object."
        )
        task += f" What decides here: {DIMENSIONS[cue - 1]}." if cue else ""
        picture = room_picture(episode.world, episode.task, episode.state)
        return Turn(f"Room {trial} of {trials}: {counts}", task, tuple(lines), picture)

    def carry_out(self, episode: Any, naming: Naming, move: tuple[int, float]) -> dict[str, Any]:
        target, value = move
        look = describe(episode.symbolic.objects)[target] if target >= 0 else ""
        took = (
            f"took the {look}"
            if value == _TAKE
            else f"changed its {DIMENSIONS[int(value)]}: {look}"
        )
        room, trial = f"room {int(episode.symbolic.trial) + 1}", episode.exploiting
        made = episode.choose(Choice(target, int(value)))
        earned = bool((made.reward > 0).any())
        verdict = episode.verdict()
        reward = ("yes" if earned else "no") if value == _TAKE and target >= 0 else "–"
        did = f"{room}: {took if target >= 0 else 'waited'}" + (" (this counted)" if trial else "")
        return {"did": did, "cells": [reward, verdict or "–"]}

    def words(self, episode: Any, naming: Naming, move: tuple[int, float]) -> str:
        target, value = move
        if target < 0:
            return "wait"
        look = describe(episode.symbolic.objects)[target]
        return (
            f"take the {look}"
            if value == _TAKE
            else f"change the {DIMENSIONS[int(value)]} of the {look}"
        )

    def verdict(self, episode: Live, naming: Naming, moves: Sequence[tuple[int, float]]) -> str:
        right = (
            "You took the odd one out"
            if episode.returns > 0
            else "You did not take the odd one out"
        )
        decides = DIMENSIONS[int(episode.task.concept)]
        return f"{right} in the room that counts: what decides is the {decides}."

    def truth(self, episode: Live, naming: Naming) -> list[str]:
        return [f"What decides in every room: the {DIMENSIONS[int(episode.task.concept)]}."]

    # -- Compare, Look back -----------------------------------------------------------------------

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
