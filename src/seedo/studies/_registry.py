"""Which studies there are: ours, and those that plug-ins add by entry points `seedo.studies`.

A study is named by where it stands and imported when it is used, so that listing costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedo.errors import UserError
from seedo.plugins import Registry

if TYPE_CHECKING:
    from seedo.studies._study import Study

_OURS = {
    "heldout-links": "exploiting a link that no training episode contains",
    "transfer": "when watching suffices: networks, noise, what is held out",
    "heldout-sets": "exploring sets of variables never cued together in training",
    "data-fusion": "observations save experiments; wrong ones are noticed",
    "limit": "learned agents against the exact ceiling",
    "error-accumulation": "imitators of short episodes on long tasks",
    "context-length": "how much to remember in constant and in drifting systems",
    "dagger": "what imitation loses at a long horizon, won back by asking",
    "explanations": "experimenting in rooms, with and without explanations",
    "deconfounding": "explanations decide how confounded rooms are generalised",
    "rl-explanations": "whether predicting explanations helps reinforcement in rooms",
    "text-explanations": "whether reading why takes fewer words",
    "meta-scm": "what is learnt from facts, and what from episodes",
    "recitation": "what a player recites, and what it discovers (--player)",
    "watched-models": "what a pretrained model learns by watching (--player)",
    "prompts": "what the switches of a prompt are worth (--player)",
    "parrots-inside": "whether what watching networks hold decides what they do",
    "levels": "systems that are only shown: told, abstracted, end to end",
    "fine-tuning": "whether reinforcement on one split harms others",
    "data-mix": "how much of what is watched must be experiments",
    "bounded-rationality": "the best strategy where experiments and thinking cost",
    "fragility": "assuming much against assuming little, as assumptions break",
    "lab-vs-reality": "trained in simulation, at play in recorded labs (--data)",
    "watching-in-the-lab": "a tuner that watched, one that was rewarded, and algorithms",
    "people": "what people choose to test, and by what (--data)",
    "calibration": "how often intervals hold, and faults are noticed",
}
REGISTRY = Registry(
    "seedo.studies",
    "study",
    {name: f"seedo.studies.{name.replace('-', '_')}:STUDY" for name in _OURS},
)
"""Studies by name, those of plug-ins included."""


def names() -> dict[str, str]:
    """Every study's name, with one line about it; none is imported."""
    return {name: _OURS.get(name, f"of {REGISTRY.origin(name)}") for name in REGISTRY.names()}


def find(name: str) -> Study:
    """A study by name, or at `module:attribute`.

    Raises:
        UserError: there is none, its plug-in is broken, or it is no `Study`.
    """
    from seedo.studies._study import Study

    found = REGISTRY.find(name)
    if not isinstance(found, Study):
        raise UserError("study", name, "this is no seedo.studies.Study")
    return found
