"""Evaluation: run anyone on any world, measure, compare, report."""

from seedo.evaluation._advice import Advice, advise, read_goal
from seedo.evaluation._advice_report import advice_table, write_advice
from seedo.evaluation._attribution import attribute
from seedo.evaluation._blicket import (
    BlicketReading,
    LiveBlicket,
    best_information,
    blicket_bayes_returns,
    live_blicket_batch,
    play_blicket,
    read_blicket,
    simulate_blicket,
)
from seedo.evaluation._dagger import DaggerReport, learn_by_dagger
from seedo.evaluation._film import film
from seedo.evaluation._frontier import Frontier, frontier
from seedo.evaluation._live import Actor, LiveEpisode, episode_batch
from seedo.evaluation._live_rooms import (
    Errand,
    LiveRooms,
    RoomsActor,
    Steps,
    live_rooms_batch,
)
from seedo.evaluation._metrics import DEFINITIONS, Metrics, episode_returns, measure
from seedo.evaluation._outcome_table import OutcomeTable, outcome_table
from seedo.evaluation._perform import (
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
from seedo.evaluation._players import find_player
from seedo.evaluation._report import (
    beside_table,
    frontier_table,
    matrix,
    spoken_table,
    table,
    write_report,
)
from seedo.evaluation._review import Review, review
from seedo.evaluation._rollout import Rollout, rollout, rollout_on, set_stages
from seedo.evaluation._rooms import play_rooms, simulate_rooms
from seedo.evaluation._statistics import Estimate, mean, ratios
from seedo.evaluation._strategies import read
from seedo.experimenters import Given

__all__ = [
    "DEFINITIONS",
    "Actor",
    "Advice",
    "BlicketReading",
    "DaggerReport",
    "Errand",
    "Estimate",
    "Frontier",
    "Given",
    "LiveBlicket",
    "LiveEpisode",
    "LiveRooms",
    "Metrics",
    "OutcomeTable",
    "Review",
    "Rollout",
    "RoomsActor",
    "Steps",
    "advice_table",
    "advise",
    "attribute",
    "beside_table",
    "best_information",
    "blicket_bayes_returns",
    "check_size",
    "describe_systems",
    "episode_batch",
    "episode_returns",
    "episodes",
    "film",
    "find_player",
    "fitted_memoriser",
    "frontier",
    "frontier_table",
    "learn_by_dagger",
    "live_blicket_batch",
    "live_rooms_batch",
    "logged",
    "matrix",
    "mean",
    "measure",
    "origin",
    "outcome_table",
    "perform",
    "play_blicket",
    "play_rooms",
    "ratios",
    "read",
    "read_blicket",
    "read_goal",
    "record",
    "review",
    "rollout",
    "rollout_on",
    "set_stages",
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
