"""One episode of a log, step by step, and what can be said about it afterwards."""

from __future__ import annotations

import io
import json
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seedo.episodes import PHASES, EpisodeBatch
from seedo.errors import UserError
from seedo.evaluation import BAYES, ORACLE, Readings, read
from seedo.lab._belief import beliefs
from seedo.lab._cast import label
from seedo.lab._log import Log
from seedo.lab._scenario import encode
from seedo.lab._shown import Truth
from seedo.lab._worlds import shown_as
from seedo.worlds import DagConfig

MOST_TEXT = 4_000  # characters of one explanation or message
_MOST_CONVERSATIONS, _MOST_LINE = 256 << 20, 4 << 20  # bytes
_MOST_MESSAGES = 400
_MOST_READ = (50, 200, 64)  # variables, steps and do-values of what strategies read
_LIKELY = 5  # actions shown with their probabilities
_FRAMES_IN_ROW = 10
_SIDE = 99  # pixels of a frame

_LABELS = {ORACLE: "Expert (knows the system)", BAYES: "Bayes-optimal reader"}


def one(log: Log, part: int, row: int) -> EpisodeBatch:
    """One episode of a log.

    Raises:
        UserError: there is none at this place, or its file is damaged.
    """
    if not (0 <= part < len(log.parts) and 0 <= row < log.parts[part].rows):
        raise UserError("at", f"{part}.{row}", "no such episode in this log")
    batch = log.read(part)
    if row >= batch.rows:
        raise UserError("at", f"{part}.{row}", "no such episode in this log")
    return batch.take([row])


def replay(log: Log, batch: EpisodeBatch) -> dict[str, Any]:
    """What happened, step by step; nothing is computed that takes long."""
    shown, truth = shown_as(batch.origin.world), logged_truth(batch)
    code, why_not, note = again(log, batch, truth)
    did = shown.did(batch)
    return {
        "id": int(batch.episode_id[0]),
        "person": batch.participant[0] if batch.participant else "",
        "names": list(batch.origin.variables),
        "relevant": batch.mask[0].tolist(),
        "returns": batch.returns[0],
        "oracle_return": batch.oracle_return[0],
        "random_return": batch.random_return[0],
        "steps": [_step(batch, t, did) for t in range(batch.steps if did is None else len(did))],
        "rooms": shown.shape == "room",
        "truth": truth and _graph(truth, batch.n),
        "again": code,
        "again_note": note,
        "why_not_again": why_not,
        "no_belief": shown.no_belief(batch),
    }


def hindsight(log: Log, batch: EpisodeBatch) -> dict[str, Any]:
    """What the episode let one believe after every step, and the truth, found again from the seed
    where it is not logged."""
    shown = shown_as(batch.origin.world)
    found: dict[str, Any] = {"beliefs": None, "why_not": shown.no_belief(batch)}
    if not found["why_not"]:
        config = DagConfig.from_dict(json.loads(batch.origin.world_config))
        believed = beliefs(config, batch.target[0].tolist(), list(batch.outcome[0]))
        found["beliefs"] = [{"edges": b.edges.tolist(), "bits": b.bits} for b in believed]
    truth = logged_truth(batch) or shown.drawn_again(batch, stream_of(log))
    found["truth"] = truth and _graph(truth, batch.n)
    found["again"], found["why_not_again"], found["again_note"] = again(log, batch, truth)
    return found


def strategies(log: Log, batch: EpisodeBatch) -> dict[str, Any]:
    """What each strategy would have done at the exploit steps, with the same history."""
    if batch.n > _MOST_READ[0] or batch.steps > _MOST_READ[1] or (
        len(_do_values(batch.origin.world_config)) > _MOST_READ[2]
    ):  # fmt: skip
        return {"why_not": "too many variables, steps or values for the lab", "steps": []}
    try:
        readings = read(batch)
    except UserError as error:
        return {"why_not": str(error), "steps": []}
    except (ValueError, TypeError, OverflowError):
        return {"why_not": "the log's world_config cannot be used", "steps": []}
    if isinstance(readings, str):
        return {"why_not": readings, "steps": []}
    names = [ORACLE, BAYES, *(name for name in readings.best if name not in (ORACLE, BAYES))]
    missing = [f"{_label(name)}: {why}" for name, why in readings.missing.items()]
    steps = [
        {
            "step": int(readings.step[d]),
            "did": _chosen(readings, d, readings.action[d : d + 1]),
            "worth": _at(readings.worth, d, readings.action[d : d + 1]),
            "strategies": [_strategy(readings, d, n) for n in names if n in readings.best],
        }
        for d in range(len(readings.episode))
    ]
    return {"why_not": "", "missing": missing, "steps": steps}


def frames(log: Log, batch: EpisodeBatch) -> bytes:
    """What was seen before every step in rooms: a PNG of frames, ten in a row.

    Raises:
        UserError: the log does not tell where its episodes come from, or they are others.
    """
    seen = shown_as(batch.origin.world).pictures(batch, stream_of(log))
    rows = -(-len(seen) // _FRAMES_IN_ROW)
    sheet = np.zeros((rows * _SIDE, min(len(seen), _FRAMES_IN_ROW) * _SIDE, 3), np.uint8)
    for t, frame in enumerate(seen):
        y, x = divmod(t, _FRAMES_IN_ROW)
        sheet[y * _SIDE : (y + 1) * _SIDE, x * _SIDE : (x + 1) * _SIDE] = frame
    data = io.BytesIO()
    Image.fromarray(sheet).save(data, "PNG")
    return data.getvalue()


def conversation(log: Log, episode: int) -> list[dict[str, str]]:
    """What was said in an episode of a text player; empty if nothing is kept.

    Raises:
        UserError: it cannot be read.
    """
    path = log.beside("conversations.jsonl", _MOST_CONVERSATIONS)
    if path is None:
        return []
    wanted = re.compile(rb'"episode":\s*%d\b' % episode)
    with path.open("rb") as file:
        while line := file.readline(_MOST_LINE + 1):
            if len(line) > _MOST_LINE:
                raise UserError("conversations.jsonl", None, "a line is too long to be shown")
            if not wanted.search(line):
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                remedy = "damaged: a line is no JSON"
                raise UserError("conversations.jsonl", None, remedy) from error
            if isinstance(fields, dict) and fields.get("episode") == episode:
                return _messages(fields.get("messages"))
    return []


def logged_truth(batch: EpisodeBatch) -> Truth | None:
    """The system as the log has it; None if it has none, or none that can be."""
    if batch.system is None:
        return None
    try:
        fields = json.loads(batch.system[0])
        weights = np.asarray(fields["weights"], np.float64)
        noise = np.asarray(fields["noise_scale"], np.float64)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    m = len(weights) if weights.ndim == 2 else 0
    if weights.shape != (m, m) or not batch.n <= m <= batch.n + 20:
        return None
    if not np.isfinite(weights).all() or (weights[:, batch.n :] != 0).any():
        return None
    good = noise.shape == (m,) and np.isfinite(noise).all()
    return Truth(weights, noise if good else None, "logged")


def again(log: Log, batch: EpisodeBatch, truth: Truth | None) -> tuple[str, str, str]:
    """A scenario on the same system, as text for a link; else why there is none; and what is
    different about it."""
    try:
        shown = shown_as(batch.origin.world)
        scenario, note = shown.again(batch, stream_of(log), truth)
        return encode(scenario), "", note
    except (UserError, TypeError, ValueError, OverflowError) as error:
        return "", str(error)[:300], ""


def stream_of(log: Log) -> str | None:
    """The stream its episodes were drawn from; None if it does not say."""
    stream = log.job.get("stream")
    return stream if isinstance(stream, str) and 0 < len(stream) <= 64 else None


def _step(batch: EpisodeBatch, t: int, did: list[str] | None) -> dict[str, Any]:
    setting = batch.setting[0, t]
    were_set = np.flatnonzero(~np.isnan(setting))
    target = int(were_set[0]) if len(were_set) == 1 else -1
    step = {
        "phase": PHASES[batch.phase[0, t]],
        "target": target,
        "value": setting[target] if target >= 0 else None,
        "outcome": batch.outcome[0, t].tolist(),
        "goal": int(batch.goal[0, t]),
        "said": batch.explanation[0][t][:MOST_TEXT] if batch.explanation else "",
        "likely": _likely(batch, t),
    }
    if did is not None:
        step["did"] = did[t]
    elif len(were_set) > 1:
        step["did"] = ", ".join(_set_to(batch, int(i), float(setting[i])) for i in were_set)
    return step


def _set_to(batch: EpisodeBatch, variable: int, value: float) -> str:
    """One of several variables that were set at once, with the name of its level."""
    levels = (batch.origin.levels or (None,) * batch.n)[variable]
    known = levels is not None and value.is_integer() and 0 <= value < len(levels)
    shown = levels[int(value)] if levels is not None and known else f"{value:.4g}"
    return f"{batch.origin.variables[variable]} = {shown}"[:MOST_TEXT]


def _likely(batch: EpisodeBatch, t: int) -> list[dict[str, Any]]:
    """The actions that the player thought of most, with their probabilities."""
    if batch.action_logits is None:
        return []
    logits = batch.action_logits[0, t].astype(np.float64)
    if np.isnan(logits).any() or not np.isfinite(logits).any():
        return []
    p = np.exp(logits - logits.max())
    p /= p.sum()
    count = len(p) // batch.n
    values = _do_values(batch.origin.world_config)
    named = values if len(values) == count else [None] * count
    top = np.argsort(-p, kind="stable")[:_LIKELY]
    return [
        {"target": int(a) // count, "value": named[int(a) % count], "p": float(p[a])}
        for a in top
        if p[a] >= 0.005
    ]


def _do_values(world_config: str) -> list[float | None]:
    given = json.loads(world_config).get("do_values")
    return [_number(v) for v in given] if isinstance(given, list) else []


def _number(value: object) -> float | None:
    """A finite number; None for anything else."""
    try:
        found = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _graph(truth: Truth, n: int) -> dict[str, Any]:
    edges = [
        {"from": int(i), "to": int(j), "weight": float(truth.weights[i, j])}
        for i, j in np.argwhere(truth.weights != 0)
    ]
    return {"edges": edges, "hidden": len(truth.weights) - n, "source": truth.source}


def _strategy(readings: Readings, d: int, name: str) -> dict[str, Any]:
    marked = np.flatnonzero(readings.best[name][d])
    return {
        "name": _label(name),
        "actions": _chosen(readings, d, marked),
        "worth": _at(readings.worth, d, marked),
        "agrees": bool(readings.agrees(name)[d]),
    }


def _label(name: str) -> str:
    return _LABELS.get(name) or label(f"scripted:{name}")


def _chosen(readings: Readings, d: int, actions: NDArray[np.int64]) -> list[dict[str, Any]]:
    count = len(readings.do_values)
    return [
        {"target": int(a) // count, "value": readings.do_values[int(a) % count]}
        for a in actions
        if a >= 0
    ]


def _at(worth: NDArray[np.float64] | None, d: int, actions: NDArray[np.int64]) -> float | None:
    """Mean exact worth of the actions; None where unknown."""
    actions = actions[actions >= 0]
    if worth is None or not len(actions):
        return None
    return float(worth[d, actions].mean())


def _messages(given: object) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise UserError("conversations.jsonl", None, "damaged: no messages")
    found = []
    for message in given[:_MOST_MESSAGES]:
        if not isinstance(message, dict):
            raise UserError("conversations.jsonl", None, "damaged: a message is no object")
        role, content = message.get("role"), message.get("content")
        said = content if isinstance(content, str) else json.dumps(content)
        found.append({"role": str(role)[:40], "said": said[:MOST_TEXT]})
    return found
