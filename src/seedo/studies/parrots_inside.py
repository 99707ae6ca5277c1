"""Study `parrots-inside`: does a network that watched act on a causal model that it carries?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seedo import abstraction, learning, play, worlds
from seedo.abstraction import CAUSAL, RIVALS, Places
from seedo.experimenters import scripted
from seedo.learning import Agent
from seedo.reports import INK, bars, legend_above, panels
from seedo.statistics import share
from seedo.studies._study import Study, Work
from seedo.studies._words import of_the_claim, told, verdict
from seedo.worlds import EXPLOIT

SPLITS = ("train", "heldout-link")
CAUSE, EFFECT = 3, 4
"""The link that no log contains: D on E."""
AHEAD = 0.2
"""How much oftener the network must do as the causal algorithm does than as any rival does."""
READABLE = 0.8
"""Share of what the posterior knows of the link from which on it counts as represented."""


@dataclass(frozen=True)
class Who:
    """A network, and where it plays: a shipped one, or one that the study teaches.

    Attributes:
        agent: `pretrained:NAME`, or a kind of network.
        settings: of world `dag`.
        episodes: watched; 0: it is shipped.
    """

    agent: str
    settings: dict[str, Any]
    episodes: int = 0


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    networks: dict[str, Who]
    episodes: int  # looked into, of each network and split
    epochs: float  # over what is watched


def _networks(watched: int, noises: Mapping[str, float]) -> dict[str, Who]:
    shipped = {
        "dag": Who("pretrained:dag", {}),
        "dag-plain": Who("pretrained:dag-plain", {}),
        "dag-soft": Who("pretrained:dag-soft", {"preset": "lampinen"}),
    }
    own = {
        f"plain, {noise}": Who("plain", {"noise_variance": variance}, watched)
        for noise, variance in noises.items()
    }
    return shipped | own


SCALES = {
    "quick": Scale(_networks(40_000, {"little noise": 0.01, "much noise": 1.0}), 1536, 2.0),
    "full": Scale(_networks(200_000, {"little noise": 0.01, "much noise": 1.0}), 6144, 2.0),
}

Found = dict[str, dict[str, dict[str, Any]]]
"""By network, then split: `look_inside` as JSON, and `link`."""


def _play(work: Work[Scale]) -> dict[str, Agent]:
    return {name: _taught(work, name, who) for name, who in work.scale.networks.items()}


def _taught(work: Work[Scale], name: str, who: Who) -> Agent:
    world = worlds.make("dag", **who.settings)
    if not who.episodes:
        found = play.find_player(who.agent, world)
        assert isinstance(found, Agent)
        return found
    folder = name.replace(", ", "-").replace(" ", "-")
    logs = work.watched(world, scripted("expert"), who.episodes, f"logs/{folder}")
    return work.learnt([logs.path], f"agents/{folder}", network=who.agent, epochs=work.scale.epochs)


def _measure(work: Work[Scale], agents: dict[str, Agent]) -> Found:
    return {
        name: {
            split: work.numbers(
                f"inside/{name.replace(', ', '-').replace(' ', '-')}-{split}.json",
                {"agent": agent.training, "settings": work.scale.networks[name].settings,
                 "episodes": work.scale.episodes, "seed": work.seed},
                partial(_looked, work, name, agent, split),
            )
            for split in SPLITS
        }
        for name, agent in agents.items()
    }  # fmt: skip


def _looked(work: Work[Scale], name: str, agent: Agent, split: str) -> dict[str, Any]:
    work.say(f"{name}, {split}: looking inside")
    world = worlds.make("dag", split=split, **work.scale.networks[name].settings)
    batch = play.episodes(world, agent, work.seed, "perform", 0, work.scale.episodes, systems=True)
    step = world.spec.phases.index(EXPLOIT)
    bare = learning.build(agent.architecture, work.seed + 1)
    found = abstraction.look_inside(agent.network, bare, world, batch, steps=[step], seed=work.seed)
    told = found.to_json() | {"link": _link(agent, world, batch, step, found.layer, work.seed)}
    return told


def _link(agent: Agent, world: Any, batch: Any, step: int, layer: int, seed: int) -> dict[str, Any]:
    """What the state holds of D's effect on E, and whether actions use it.

    Returns:
        `held`, `others`: R^2 of a linear probe for the effect of D on E, and for those of the other
        variables on E; `held_known`, `others_known`: of the posterior's expectations; `chosen`: how
        often the network sets D for E where the exact reader would, and `exchange`: how often it
        does as the causal algorithm does where D's part alone comes from another episode.
    """
    inputs = learning.batch_inputs(batch)
    true = abstraction.truths(world, batch)
    test = np.arange(batch.rows) % 3 == 0
    state = abstraction.states(agent.network, inputs).layers[layer][:, step]
    view, n = abstraction.pairs(state), world.spec.n
    target, known = true.effects.reshape(batch.rows, -1), true.believed_effects[:, step]

    def read(causes: list[int]) -> dict[str, Any]:
        counts = np.zeros(n * n, bool)
        counts[[cause * n + EFFECT for cause in causes]] = True
        lesson, exam = (Places(view[rows], target[rows], counts) for rows in (~test, test))
        said = known.reshape(batch.rows, -1)[test][:, counts]
        return {
            "found": abstraction.probed(lesson, exam, "linear", seed).to_json(),
            "known": abstraction.scored(target[test][:, counts], said, seed).to_json(),
        }

    others = [i for i in range(n) if i not in (CAUSE, EFFECT)]
    held, rest = read([CAUSE]), read(others)
    own = np.flatnonzero(np.asarray(inputs.goal)[:, step] == EFFECT)
    about = learning.batch_inputs(batch.take(own))
    scores = abstraction.tables(world, about, step)
    right = abstraction.taken(scores[CAUSAL]) // len(world.spec.do_values) == CAUSE
    does = batch.target[own, step] == CAUSE
    levers = np.tile(np.arange(n) == CAUSE, (len(own), 1))
    goals = np.full(len(own), EFFECT)
    directions = None
    if state.ndim == 2:
        directions = abstraction.find_directions(
            state[own], goals, scores[CAUSAL], world.spec.do_values
        )
    exchange = abstraction.interchanged(
        agent.network, about, step, layer, state[own], scores, directions, seed, levers
    )
    return {
        "held": held["found"],
        "held_known": held["known"],
        "others": rest["found"],
        "others_known": rest["known"],
        "chosen": share(int((does & right).sum()), int(right.sum())).to_json(),
        "exchange": exchange.algorithms[CAUSAL].same.to_json(),
    }


def _at_layer(inside: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in inside["interchange"] if one["layer"] == inside["layer"])


def _edges(inside: dict[str, Any]) -> dict[str, Any]:
    """The linear probe of edges at the layer that was chosen for probes."""
    return [p for p in inside["probes"] if (p["target"], p["kind"]) == ("edges", "linear")][-1]


def _judge(scale: Scale, found: Found) -> list[str]:
    lines = []
    for name, splits in found.items():
        for split, inside in splits.items():
            lines += [_said(name, split, inside)]
        lines += [_of_link(name, splits["heldout-link"])]
    return lines


def _said(name: str, split: str, inside: dict[str, Any]) -> str:
    exchange = _at_layer(inside)["algorithms"]
    causal, edges = exchange[CAUSAL], _edges(inside)
    rival = max(RIVALS, key=lambda one: exchange[one]["same"]["value"])
    below = exchange[rival]["same"]
    ahead = causal["same"]["low"] > below["high"] + AHEAD
    behind = causal["same"]["high"] < below["low"] + AHEAD
    share_read = edges["found"]["value"] / edges["known"]["value"]
    return (
        f"{name}, {split}: with parts taken from another episode it does as the causal algorithm "
        f"does in {told(causal['same'])} of the cases, as {rival} does in {told(below)} (untrained "
        f"{told(inside['untrained']['algorithms'][CAUSAL]['same'])}, another part "
        f"{told(_at_layer(inside)['elsewhere'])}, chance {_at_layer(inside)['chance']:.3f}; "
        f"nothing replaced it does so in {told(causal['followed'])}): "
        f"{of_the_claim(verdict(ahead, behind))}. Edges off its state: AUC {told(edges['found'])}, "
        f"{share_read:.3f} of the posterior's own {told(edges['known'])} (untrained "
        f"{told(edges['untrained'])}, other episodes' edges {told(edges['control'])})."
    )


def _of_link(name: str, inside: dict[str, Any]) -> str:
    link = inside["link"]
    read, known = link["held"], link["held_known"]
    bound = READABLE * known["value"]
    side = (
        "represented" if read["low"] > bound else "not represented" if read["high"] < bound
        else "perhaps represented"
    )  # fmt: skip
    used = link["exchange"]["value"]
    return (
        f"{name}, the held-out link: {side}: R2 of D's effect on E {told(read)}, the posterior's "
        f"{told(known)} (other effects on E {told(link['others'])}, {told(link['others_known'])}). "
        f"Where the exact reader sets D for E, so does it in {told(link['chosen'])}; with D's part "
        f"alone from another episode it does as the causal algorithm does in "
        f"{told(link['exchange'])}" + ("." if used is not None else ": too few cases.")
    )


def _draw(scale: Scale, found: Found) -> Figure:
    figure, axes = panels(1, 2, 8.0, 3.4, sharey=True)
    for ax, split in zip(axes[0], SPLITS, strict=True):
        groups = {
            name: {kind: _at_layer(own[split])["algorithms"][kind]["same"] for kind in _SHOWN}
            | {"untrained": own[split]["untrained"]["algorithms"][CAUSAL]["same"]}
            for name, own in found.items()
        }
        bars(ax, groups, [*_SHOWN, "untrained"])
        ax.axhline(0.125, color=INK, linewidth=0.8, linestyle=":")
        ax.set_title(split)
        ax.set_ylim(0, 1)
    axes[0, 0].set_ylabel("does as the algorithm would")
    legend_above(figure, axes[0, 0], 4)
    return figure


_SHOWN = (CAUSAL, "largest-effect", "partial-correlation")

STUDY = Study(
    name="parrots-inside",
    claim="""A network that only watched carries a causal model that its action depends on: with
        what its state holds of some levers taken from another episode, it does what an exact
        causal reader does with their effects taken from there, on systems like the watched and on
        the held-out link.""",
    design="""World dag, five variables. Shipped networks, and ordinary ones (plain) that watched an
        expert where noise is little and where it is much, experiment on unseen systems. At the
        first scored action: probes for edges and effects off every layer, beside an untrained
        twin, other episodes' targets and the exact posterior; and interchange interventions
        between episodes with the same goal, for random sets of levers, at the layer that showed
        the causal algorithm most in other episodes. Rivals, on the same replacements: largest
        effect, correlation, partial correlation, frequencies of expert actions. For the held-out
        link, D on E: whether a linear probe reads its effect, and whether actions use it.""",
    refuted_if="""the share of replacements after which it does as the causal algorithm does exceeds
        that of the best rival by less than 0.2, by intervals. The link counts as represented where
        a linear probe reads 0.8 of what the posterior knows of it.""",
    measures="""Interchange accuracy: shares of replacements that change the causal action, 95 %
        Wilson intervals. Probes: AUC and R2 on systems that they have not seen, bootstrap over
        episodes.""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Interchange accuracy by network and algorithm",
)
