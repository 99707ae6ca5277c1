"""Speakers by name: text understudies, and pretrained models of others."""

from __future__ import annotations

from pathlib import Path

from seedo.errors import UserError, is_number, whole
from seedo.language import hub, text
from seedo.language.runs import MeteredSpeaker, parameters
from seedo.language.scenes import Conditions
from seedo.learning import agent_folder, read_description
from seedo.recipes import HUB


def speaks(name: str | Path) -> bool:
    """Whether this names a model that plays in words within this process: `hf:FOLDER`, the folder
    of an agent that was taught words, or a shipped one. False for anything else."""
    return str(name).startswith(HUB) or _tuned(name) or text.speaks(name)


def load_speaker(
    name: str | Path, seed: int | None = None, max_tokens: int | None = None
) -> MeteredSpeaker:
    """Such a model.

    Args:
        seed: draw replies with it; None: always the likeliest.
        max_tokens: of a reply at most, of a pretrained model; None: what is usual.

    Raises:
        UserError: no such model; a file missing or damaged; one that does not speak, or whose
            replies have one length.
    """
    if max_tokens is not None:
        whole("max_tokens", max_tokens, 1, 65_536)
    if str(name).startswith(HUB) or _tuned(name):
        return hub.load_hub_speaker(str(name), seed, max_tokens or hub.LONGEST_REPLY)
    if max_tokens is not None:
        raise UserError("max_tokens", max_tokens, "only for llm:MODEL and hf:FOLDER: leave it out")
    return text.load_speaker(name, seed)


def taught_conditions(name: str | Path) -> Conditions | None:
    """Under what prompt a model was tuned here; None: it was not, or it is a text understudy."""
    try:
        folder = agent_folder(str(name).removeprefix(HUB))[0]
        told = read_description(folder)["architecture"].get("conditions")
        return None if told is None else Conditions.from_dict(told)
    except UserError:  # of somebody else, or of switches that are no more
        return None


def parameters_of(player: str) -> float | None:
    """About how many parameters a player who speaks has, as far as its name or its files tell."""
    kind, _, name = player.partition(":")
    if kind == "llm":
        return parameters(name)
    if text.speaks(player):
        counted = read_description(agent_folder(player)[0])["training"].get("parameters")
        return float(counted) if is_number(counted) else None
    if player.startswith(HUB) or _tuned(player):
        return parameters(f"hf/{player.removeprefix(HUB)}")
    return None


def _tuned(name: str | Path) -> bool:
    """Whether this is the folder of a pretrained model that was tuned here."""
    try:
        return bool(read_description(agent_folder(name)[0])["architecture"].get("kind") == "hf")
    except UserError:
        return False
