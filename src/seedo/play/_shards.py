"""Shards of a log as tasks: what a worker does."""

from __future__ import annotations

import functools
import json
from typing import Any

from seedo import worlds
from seedo.episodes import ShardWriter
from seedo.errors import UserError
from seedo.experimenters import find_player
from seedo.play import _others as others
from seedo.play._record import episodes
from seedo.worlds import World


def play_shard(told: dict[str, Any]) -> dict[str, Any]:
    """Play and write one shard, as `play_elsewhere` tells."""
    config = json.dumps(told["config"], sort_keys=True)
    called = (told["player"], told["greedy"], told["player_seed"])
    world, player = _cast(told["world"], config, *called)
    if player.record != told["record"]:
        remedy = "is another one here than where the job was begun: copy its folder"
        raise UserError("player", told["player"], remedy)
    plan, shard = ShardWriter.from_json(told["plan"]), told["shard"]
    first, rows = shard * plan.shard_rows, plan.rows_of(shard)
    with others.named(world, player):
        batch = episodes(
            world, player, told["seed"], told["stream"], first, rows, told["systems"],
            told["explain"],
        )  # fmt: skip
    return plan.write(shard, batch).to_json()


@functools.lru_cache(maxsize=4)
def _cast(name: str, config: str, player: str, greedy: bool, seed: int) -> tuple[World, Any]:
    """World and player, one object each for as long as they are in use: what plays is compiled
    once for each object."""
    world = worlds.from_config(name, json.loads(config))
    return world, find_player(player, world, greedy, seed)
