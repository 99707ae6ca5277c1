"""Speakers by name: text understudies, and pretrained models of others."""

from __future__ import annotations

from pathlib import Path

from seedo.errors import UserError
from seedo.language import hub, text
from seedo.language.runs import Speaker
from seedo.learning import agent_folder, read_description
from seedo.recipes import HUB


def speaks(name: str | Path) -> bool:
    """Whether this names a model that plays in words within this process: `hf:FOLDER`, the folder
    of an agent that was taught words, or a shipped one. False for anything else."""
    return str(name).startswith(HUB) or _tuned(name) or text.speaks(name)


def load_speaker(name: str | Path, seed: int | None = None) -> Speaker:
    """Such a model.

    Args:
        seed: draw replies with it; None: always the likeliest.

    Raises:
        UserError: no such model; a file missing or damaged; one that does not speak.
    """
    if str(name).startswith(HUB) or _tuned(name):
        return hub.load_hub_speaker(str(name), seed)
    return text.load_speaker(name, seed)


def _tuned(name: str | Path) -> bool:
    """Whether this is the folder of a pretrained model that was tuned here."""
    try:
        return bool(read_description(agent_folder(name)[0])["architecture"].get("kind") == "hf")
    except UserError:
        return False
