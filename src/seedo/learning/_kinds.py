"""Kinds of networks by name: ours, and those of plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from seedo import worlds
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.learning._course import Course
from seedo.learning._folder import Stored
from seedo.plugins import Registry

NETWORKS = Registry(
    "seedo.networks",
    "network",
    {
        "equivariant": "seedo.learning._dag_imitation:DAG_NETWORK",
        "plain": "seedo.learning._dag_imitation:DAG_NETWORK",
        "plain-copy": "seedo.learning._dag_imitation:DAG_NETWORK",
        "plain-raw": "seedo.learning._dag_imitation:RAW_NETWORK",
        "tokens": "seedo.learning._dag_imitation:TOKENS_NETWORK",
        "tokens-frozen": "seedo.learning._dag_imitation:TOKENS_NETWORK",
        "scratchpad": "seedo.learning._dag_imitation:TOKENS_NETWORK",
        "scratchpad-alone": "seedo.learning._dag_imitation:TOKENS_NETWORK",
        "retrieval": "seedo.learning._dag_imitation:TOKENS_NETWORK",
        "relational": "seedo.learning._rooms_imitation:ROOMS_NETWORK",
        "pixels": "seedo.learning._rooms_imitation:ROOMS_NETWORK",
        "attention": "seedo.learning._rooms_imitation:ROOMS_NETWORK",
        "attention-pixels": "seedo.learning._rooms_imitation:ROOMS_NETWORK",
        "text": "seedo.language.text:TEXT_NETWORK",
        "hf": "seedo.language.hub:HUB_NETWORK",
    },
)
"""Each is a `NetworkKind`, under the name that an architecture has as its `kind`."""

USUAL = {"dag": "equivariant", "": "equivariant", "raw": "plain-raw", "rooms": "relational"}
"""The network that learns from logs of a family of worlds unless another is named."""


class NetworkKind(NamedTuple):
    """What can be done with networks of a kind.

    Attributes:
        load: (agent's folder, whether it plays the most probable action) -> the agent.
        families: of worlds whose logs it learns from.
        recipe: what a recipe of imitation leaves open, by field.
        course: (datasets, complete recipe) -> how they are learnt from.
        labels: it learns what an expert would have done where a log says so.
        speaks: its agents answer messages; they are no experimenters.
        inside: (agent's folder, world, seed) -> the agent as a player of the world, and a network
            like its own that has learnt nothing; both networks hand their states to
            `decide(..., edit)`. None: they cannot be looked into.
    """

    load: Callable[[Stored, bool], Any]
    families: tuple[str, ...]
    recipe: dict[str, Any]
    course: Callable[[list[Dataset], Any], Course]
    labels: bool = False
    speaks: bool = False
    inside: Callable[[Stored, Any, int], tuple[Any, Any]] | None = None


def kind_for(datasets: Sequence[Dataset], network: str | None) -> NetworkKind:
    """The kind of network that learns from these logs: the one named, or what is usual.

    Raises:
        UserError: there is none, or it does not read logs of their worlds.
    """
    families = {_family(dataset): dataset.origin.world for dataset in datasets}
    usual = {USUAL.get(family) for family in families}
    if network is None and len(usual) > 1:
        both = " and ".join(sorted(families.values()))
        raise UserError("logs", both, "no network learns from both together")
    name = network or usual.pop()
    if name is None:
        (world,) = families.values()
        raise UserError("logs", world, "no network learns from logs of this world yet")
    kind: NetworkKind = NETWORKS.find(name)
    for family, world in families.items():
        if family not in kind.families:
            known = ", ".join(n for n in NETWORKS.own if family in NETWORKS.find(n).families)
            remedy = f"it does not learn from logs of world {world}: use {known or 'other logs'}"
            raise UserError("network", name, remedy)
    return kind


def _family(dataset: Dataset) -> str:
    """Of the world that a log comes from; a log of nobody's world is one of variables."""
    name = dataset.origin.world
    if issubclass(worlds.kind_of(name, dataset.origin.world_config), worlds.Bench):
        remedy = "its steps set all knobs at once, and networks here learn to set one variable"
        raise UserError(str(dataset.path), None, f"{remedy}: pretrained:tuner plays such worlds")
    return worlds.find(name).family if name in worlds.names() else ""
