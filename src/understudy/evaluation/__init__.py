"""Evaluation: run anyone on any world, measure, compare, report."""

from understudy.evaluation._advice import Advice, advise, read_goal
from understudy.evaluation._advice_report import advice_table, write_advice
from understudy.evaluation._attribution import attribute
from understudy.evaluation._blicket import (
    BlicketReading,
    LiveBlicket,
    best_information,
    blicket_bayes_returns,
    live_blicket_batch,
    play_blicket,
    read_blicket,
    simulate_blicket,
)
from understudy.evaluation._film import film
from understudy.evaluation._live import Actor, LiveEpisode, episode_batch
from understudy.evaluation._live_rooms import (
    Errand,
    LiveRooms,
    RoomsActor,
    Steps,
    live_rooms_batch,
)
from understudy.evaluation._metrics import DEFINITIONS, Metrics, measure
from understudy.evaluation._perform import (
    check_size,
    describe_systems,
    episodes,
    fitted_memoriser,
    origin,
    perform,
    record,
    shard_size,
    simulate,
    watch,
)
from understudy.evaluation._players import find_player
from understudy.evaluation._report import matrix, spoken_table, table, write_report
from understudy.evaluation._review import Review, review
from understudy.evaluation._rollout import Given, Rollout, rollout
from understudy.evaluation._rooms import play_rooms, simulate_rooms

__all__ = [
    "DEFINITIONS",
    "Actor",
    "Advice",
    "BlicketReading",
    "Errand",
    "Given",
    "LiveBlicket",
    "LiveEpisode",
    "LiveRooms",
    "Metrics",
    "Review",
    "Rollout",
    "RoomsActor",
    "Steps",
    "advice_table",
    "advise",
    "attribute",
    "best_information",
    "blicket_bayes_returns",
    "check_size",
    "describe_systems",
    "episode_batch",
    "episodes",
    "film",
    "find_player",
    "fitted_memoriser",
    "live_blicket_batch",
    "live_rooms_batch",
    "matrix",
    "measure",
    "origin",
    "perform",
    "play_blicket",
    "play_rooms",
    "read_blicket",
    "read_goal",
    "record",
    "review",
    "rollout",
    "shard_size",
    "simulate",
    "simulate_blicket",
    "simulate_rooms",
    "spoken_table",
    "table",
    "watch",
    "write_advice",
    "write_report",
]
