"""Play: anyone on any world, compiled or step by step, and the log of it."""

from seedo.experimenters import find_player
from seedo.play._elsewhere import Elsewhere, elsewhere_if_known
from seedo.play._live import Actor, Live, live_batch, played_by
from seedo.play._live_rooms import Choice, LiveRooms, RoomsActor
from seedo.play._loop import (
    Setup,
    check_action,
    noise_at,
    play,
    play_noting,
    rollout,
    rollout_on,
    set_up,
    set_ups,
    simulate,
    take_step,
)
from seedo.play._memoriser import fitted_memoriser
from seedo.play._outcome_table import OutcomeTable, outcome_table
from seedo.play._parts import in_parts
from seedo.play._record import (
    Progress,
    check_size,
    episodes,
    origin,
    perform,
    record,
    shard_size,
    watch,
)
from seedo.play._shards import play_shard
from seedo.play._shown import shown_again, shown_had, stream_of_shown
from seedo.play.campaign import Campaign, run_campaign
from seedo.worlds import Rollout

__all__ = [
    "Actor",
    "Campaign",
    "Choice",
    "Elsewhere",
    "Live",
    "LiveRooms",
    "OutcomeTable",
    "Progress",
    "Rollout",
    "RoomsActor",
    "Setup",
    "check_action",
    "check_size",
    "elsewhere_if_known",
    "episodes",
    "find_player",
    "fitted_memoriser",
    "in_parts",
    "live_batch",
    "noise_at",
    "origin",
    "outcome_table",
    "perform",
    "play",
    "play_noting",
    "play_shard",
    "played_by",
    "record",
    "rollout",
    "rollout_on",
    "run_campaign",
    "set_up",
    "set_ups",
    "shard_size",
    "shown_again",
    "shown_had",
    "simulate",
    "stream_of_shown",
    "take_step",
    "watch",
]
