"""Play: anyone on any world, compiled or step by step, and the log of it."""

from seedo.experimenters import Given
from seedo.play._blicket import (
    RANDOM_RETURN,
    BlicketRollout,
    LiveBlicket,
    live_blicket_batch,
    play_blicket,
    simulate_blicket,
)
from seedo.play._live import (
    Actor,
    Live,
    LiveEpisode,
    episode_batch,
)
from seedo.play._live_rooms import (
    Errand,
    LiveRooms,
    RoomsActor,
    Steps,
    live_rooms_batch,
)
from seedo.play._outcome_table import (
    OutcomeTable,
    outcome_table,
)
from seedo.play._parts import (
    in_parts,
)
from seedo.play._players import (
    CHANGED,
    changed,
    find_player,
)
from seedo.play._record import (
    Progress,
    check_size,
    describe_systems,
    episodes,
    fitted_memoriser,
    logged,
    origin,
    perform,
    record,
    shard_size,
    simulate,
    watch,
)
from seedo.play._rollout import (
    Rollout,
    play,
    rollout,
    rollout_on,
    set_stages,
)
from seedo.play._rooms import (
    RoomsRollout,
    play_rooms,
    play_step,
    rollout_batch,
    simulate_rooms,
)

__all__ = [
    "CHANGED",
    "RANDOM_RETURN",
    "Actor",
    "BlicketRollout",
    "Errand",
    "Given",
    "Live",
    "LiveBlicket",
    "LiveEpisode",
    "LiveRooms",
    "OutcomeTable",
    "Progress",
    "Rollout",
    "RoomsActor",
    "RoomsRollout",
    "Steps",
    "changed",
    "check_size",
    "describe_systems",
    "episode_batch",
    "episodes",
    "find_player",
    "fitted_memoriser",
    "in_parts",
    "live_blicket_batch",
    "live_rooms_batch",
    "logged",
    "origin",
    "outcome_table",
    "perform",
    "play",
    "play_blicket",
    "play_rooms",
    "play_step",
    "record",
    "rollout",
    "rollout_batch",
    "rollout_on",
    "set_stages",
    "shard_size",
    "simulate",
    "simulate_blicket",
    "simulate_rooms",
    "watch",
]
