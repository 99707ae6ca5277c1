"""Episodes played through Inspect AI: samples, solver, scores, evaluations; needs `inspect-ai`."""

from seedo.language.runs.inspect._choosing import EPISODES, Chosen, choose_by_play
from seedo.language.runs.inspect._cut import CUT, end, say_cut, why_cut
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
    cut_share,
    episode_return,
    malformed_share,
    mean_return,
    normalised_return,
    random_floor,
    recitation_return,
    repaired_share,
    return_ratio,
    said,
    scored_by,
)
from seedo.language.runs.inspect._solver import chat, play_scene

__all__ = [
    "CLUSTER",
    "CUT",
    "EPISODES",
    "Chosen",
    "ScenePerformance",
    "by_cell",
    "chat",
    "choose_by_play",
    "cut_share",
    "end",
    "episode_return",
    "episode_samples",
    "episode_task",
    "malformed_share",
    "mean_return",
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
    "say_cut",
    "scored_by",
    "why_cut",
]
