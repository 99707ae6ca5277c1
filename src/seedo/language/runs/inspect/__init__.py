"""Episodes played through Inspect AI: samples, solver, scores, evaluations; needs `inspect-ai`."""

from seedo.language.runs.inspect._choosing import EPISODES, Chosen, choose_by_play
from seedo.language.runs.inspect._evaluation import (
    episode_task,
    open_model,
    play,
    played,
    probe,
    read_logs,
)
from seedo.language.runs.inspect._performance import ScenePerformance
from seedo.language.runs.inspect._samples import episode_samples
from seedo.language.runs.inspect._scorer import (
    CLUSTER,
    by_cell,
    episode_return,
    malformed_share,
    normalised_return,
    random_floor,
    recitation_return,
    repaired_share,
    return_ratio,
    said,
    scored_by,
    unfinished,
)
from seedo.language.runs.inspect._solver import chat, play_scene

__all__ = [
    "CLUSTER",
    "EPISODES",
    "Chosen",
    "ScenePerformance",
    "by_cell",
    "chat",
    "choose_by_play",
    "episode_return",
    "episode_samples",
    "episode_task",
    "malformed_share",
    "normalised_return",
    "open_model",
    "play",
    "play_scene",
    "played",
    "probe",
    "random_floor",
    "read_logs",
    "recitation_return",
    "repaired_share",
    "return_ratio",
    "said",
    "scored_by",
    "unfinished",
]
