"""The command line that writes a run again, and its world in words, as far as the log tells."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.experimenters import is_spoken
from seedo.worlds import kind_of, names


def command_of(
    job: dict[str, Any], batch: EpisodeBatch, config: dict[str, Any], path: str | os.PathLike[str]
) -> str:
    """The command line that writes the run again; "" where the log does not tell, or where no
    command line can say what was done."""
    given = job.get("command")
    if isinstance(given, list):
        return shlex.join(str(word) for word in given)
    if isinstance(given, str):
        return given
    origin = batch.origin
    shown = _examples(job, origin.seed)
    if job.get("task") not in ("perform", "serve-mcp") or shown is None:
        return ""
    stream = job.get("stream", _STREAM)
    if job["task"] == "perform" and stream != _STREAM:
        return ""
    trained = isinstance(job.get("agent_record"), dict)
    agent = origin.experimenter if trained else f"scripted:{origin.experimenter}"
    agent = str(job.get("player", agent))
    words = ["seedo", "perform", agent]
    if job["task"] == "serve-mcp":
        words = ["seedo", "serve-mcp", "--name", agent.partition(":")[2]]
        words += [] if stream == _STREAM else ["--stream", str(stream)]
    words += ["--world", origin.world]
    words += ["--preset", str(config["preset"])] if "preset" in config else []
    words += ["--split", origin.split]
    differing = _own_settings(origin.world, config)
    if (n := config.get("n")) is not None:
        words += ["--n", str(n)]
    for field, value in differing.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else _set(value)
        words += ["--set", f"{field}={text}"]
    if isinstance(options := job.get("options"), list):
        words += map(str, options)
    words += shown
    words += ["--episodes", str(batch.rows), "--seed", str(origin.seed)]
    if job.get("mode") == "sample" and "--sample" not in words:
        words.append("--sample")
    return shlex.join([*words, "--out", os.fspath(path)])


def _examples(job: dict[str, Any], seed: int) -> list[str] | None:
    """What is typed so that the same examples are shown; None: nothing that can be typed."""
    conditions = job.get("conditions")
    count = conditions.get("examples") if isinstance(conditions, dict) else None
    examples = job.get("examples")
    if not isinstance(examples, dict):
        # Small models get some unless they are told to get none.
        called = is_spoken(str(job.get("player", "")))
        return ["--prompt", "examples=0"] if called and count == 0 else []
    indices = examples.get("indices")
    if not isinstance(indices, list) or examples.get("seed") != seed:
        return None
    if examples.get("player") != _EXAMPLES_BY:
        return None
    first = indices == list(range(len(indices)))
    return [] if first else ["--examples", ",".join(map(str, indices))]


_STREAM = "perform"
"""What is played unless told."""
_EXAMPLES_BY = "scripted:expert"
"""Whose examples a command shows."""


def _set(value: Any) -> str:
    """A setting as `--set` reads it."""
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _own_settings(world: str, config: dict[str, Any]) -> dict[str, Any]:
    """Settings of a world other than its preset's and its split's."""
    try:
        if world.partition(":")[0] not in names():
            return {}
        return kind_of(world, json.dumps(config)).own_settings(config)
    except UserError:
        return {}


def world_in_words(name: str, config: dict[str, Any]) -> str:
    words = [name]
    if isinstance(config.get("preset"), str):
        words.append(config["preset"])
    if isinstance(config.get("n"), int):
        words.append(f"n={config['n']}")
    differing = _own_settings(name, config)
    words += [f"{field}={_short(value)}" for field, value in differing.items()]
    return " ".join(words)


def _short(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 24 else text[:23] + "…"
