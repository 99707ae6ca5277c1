"""Study `parrots-inside`: does a network that watched act on a causal model that it carries?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from seedo import abstraction, learning, play, worlds
from seedo.abstraction import CAUSAL, FREQUENCIES, PROBES, RIVALS, Inside, Looking
from seedo.experimenters import scripted
from seedo.reports import INK, bars, legend_above, panels
from seedo.statistics import share
from seedo.studies._regime import DENSER, RECIPES
from seedo.studies._study import Study, Work
from seedo.studies._words import of_the_claim, slug, told, verdict

SPLITS = ("train", "heldout-link")
CAUSE, EFFECT = 3, 4
"""The link that no log contains: D on E."""
OTHERS = (*RIVALS, FREQUENCIES)
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
    shipped = {name: Who(f"pretrained:{name}", {}) for name in ("dag", "dag-plain", "dag-text")}
    # Its preset has no exact posterior: the truth stands for it.
    shipped["dag-soft"] = Who("pretrained:dag-soft", {"preset": "lampinen"})
    own = {
        f"plain, {noise}": Who("plain", {"noise_variance": variance}, watched)
        for noise, variance in noises.items()
    }
    return shipped | own


SCALES = {
    "quick": Scale(_networks(50_000, {"little noise": 0.01, "much noise": 1.0}), 1536, 2.0),
    "full": Scale(_networks(200_000, {"little noise": 0.01, "much noise": 1.0}), 6144, 2.0),
}

Found = dict[str, dict[str, dict[str, Any]]]
"""By network, then split: `look_inside` as JSON, and `link`."""


def _play(work: Work[Scale]) -> Found:
    keys: list[Any] = [list(key) for key in product(work.scale.networks, SPLITS)]
    found: Found = {}
    for (name, split), inside in zip(keys, work.each("inside", keys), strict=True):
        found.setdefault(name, {})[split] = inside
    return found


def _taught(work: Work[Scale], name: str, who: Who) -> str:
    """What an agent is found by."""
    if not who.episodes:
        return who.agent
    world = worlds.make("dag", **DENSER, **who.settings)
    folder = slug(name)
    logs = work.watched(world, scripted("expert"), who.episodes, f"logs/{folder}")
    recipe = {"network": who.agent, "epochs": work.scale.epochs} | RECIPES[who.agent]
    work.learnt([logs.path], f"agents/{folder}", **recipe)
    return str(work.out / "agents" / folder)


def _inside(work: Work[Scale], key: Any) -> dict[str, Any]:
    """What is found inside a network, by name, at play in a split."""
    name, split = key
    agent = _taught(work, name, work.scale.networks[name])
    question = {"agent": learning.read_agent(agent).training,
                "settings": work.scale.networks[name].settings,
                "episodes": work.scale.episodes, "seed": work.seed}  # fmt: skip
    file = f"inside/{slug(name)}-{split}.json"
    return dict(work.numbers(file, question, partial(_looked, work, name, agent, split)))


def _measure(_: Work[Scale], found: Found) -> Found:
    return found


def _looked(work: Work[Scale], name: str, agent: str, split: str) -> dict[str, Any]:
    work.say(f"{name}, {split}: looking inside")
    world = worlds.make("dag", split=split, **work.scale.networks[name].settings)
    player, twin = learning.open_network(agent, world, work.seed + 1)
    batch = play.episodes(world, player, work.seed, "perform", 0, work.scale.episodes, systems=True)
    looking = abstraction.look(player.network, twin, world, batch, steps=[], seed=work.seed)
    found = abstraction.look_inside(looking)
    link = _link(looking, found) if split == "heldout-link" else None
    return found.to_json() | {"link": link}


def _link(looking: Looking, found: Inside) -> dict[str, Any]:
    """What the state holds of D's effect on E, and whether actions use it; E is every goal here.

    Returns:
        `held`, `others`: linear probes for the effect of D on E, and for those of the other
        variables on E; `chosen`: how often the network sets D where the exact reader would;
        `exchange`: how often it does as the causal algorithm does where D's part alone comes from
        another episode.
    """
    n, step, tested = looking.world.spec.n, looking.step, looking.test

    def read(causes: list[int]) -> dict[str, Any]:
        counts = np.zeros(n * n, bool)
        counts[[cause * n + EFFECT for cause in causes]] = True
        return looking.read("effects", PROBES[0], found.probe_layer, step, counts).to_json()

    right = abstraction.taken(tested.scores[CAUSAL]) // len(looking.world.spec.do_values) == CAUSE
    does = looking.batch.target[tested.rows, step] == CAUSE
    own = looking.subspaces(found.layer, looking.network)
    exchange = looking.exchange(found.layer, looking.network, own, np.arange(n) == CAUSE)[1]
    return {
        "held": read([CAUSE]),
        "others": read([i for i in range(n) if i not in (CAUSE, EFFECT)]),
        "chosen": share(int((does & right).sum()), int(right.sum())).to_json(),
        "exchange": exchange.algorithms[CAUSAL].same.to_json(),
    }


def _at_layer(inside: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in inside["interchange"] if one["layer"] == inside["layer"])


def _edges(inside: dict[str, Any]) -> dict[str, Any]:
    """The linear probe of edges at the layer where the learning episodes showed most."""
    return next(p for p in inside["probes"] if p["layer"] == inside["probe_layer"])


def _judge(scale: Scale, found: Found) -> list[str]:
    lines = []
    for name, splits in found.items():
        lines += [_said(name, split, inside) for split, inside in splits.items()]
        lines += [_of_link(name, splits["heldout-link"]["link"])]
    return lines


def _rival(exchange: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The other algorithm that the network does most as, on the same replacements or on its own."""
    figures = [(name, exchange[name][which]) for name in OTHERS for which in ("same", "own")]
    known = [(name, figure) for name, figure in figures if figure["value"] is not None]
    return max(known, key=lambda one: float(one[1]["value"]))


def _said(name: str, split: str, inside: dict[str, Any]) -> str:
    at = _at_layer(inside)
    causal = at["algorithms"][CAUSAL]
    if causal["same"]["value"] is None:  # it experimented so little that all scores are alike
        return f"{name}, {split}: no replacement changes what the causal algorithm does: open."
    rival, below = _rival(at["algorithms"])
    ahead = causal["same"]["low"] > below["high"] + AHEAD
    behind = causal["same"]["high"] < below["low"] + AHEAD
    outputs = inside["interchange"][-1]["algorithms"][CAUSAL]["same"]
    twin, edges, dealt = inside["untrained"]["algorithms"][CAUSAL]["same"], _edges(inside), ""
    if inside["dealt"] is not None:
        nothing = inside["dealt"]["algorithms"][CAUSAL]["same"]
        dealt = f"scores dealt at random, learnt and tested, {told(nothing)}, "
    known = "" if edges["known"] is None else f", the posterior's {told(edges['known'])}"
    who = "causal algorithm" if inside["exact"] else "causal algorithm that knows the truth"
    return (
        f"{name}, {split}: with parts of state {at['layer']} from another episode it does as the "
        f"{who} does in {told(causal['same'])} of the replacements, {told(at['fair'])} of what can "
        f"be asked for; {told(at['new'])} where neither episode shows the action; as {rival} does "
        f"in {told(below)} (another episode's part {told(at['elsewhere'])}, as before "
        f"{told(at['ignored'])}, {dealt}untrained {told(twin)}, chance {at['chance']:.3f}; parts "
        f"of the last state {told(outputs)}; nothing replaced {told(causal['followed'])}): "
        f"{of_the_claim(verdict(ahead, behind and inside['axes']))}. Edges off state "
        f"{edges['layer']}: AUC {told(edges['found'])}{known} (untrained "
        f"{told(edges['untrained'])}, other episodes' edges {told(edges['control'])})."
    )


def _of_link(name: str, link: dict[str, Any]) -> str:
    held, others = link["held"], link["others"]
    known = ("",) * 2
    if held["known"] is not None:
        known = f", the posterior's {told(held['known'])}", f", {told(others['known'])}"
    return (
        f"{name}, the held-out link: {_represented(held)}: R2 of D's effect on E "
        f"{told(held['found'])}, untrained {told(held['untrained'])}{known[0]} (other effects on E "
        f"{told(others['found'])}, {told(others['untrained'])}{known[1]}). Where the causal "
        f"algorithm sets D for E, so does it in {told(link['chosen'])}; with D's part alone from "
        f"another episode it does as the causal algorithm does in {told(link['exchange'])}."
    )


def _represented(held: dict[str, Any]) -> str:
    found, twin, known = held["found"], held["untrained"], held["known"]
    if known is None:
        more = found["low"] is not None and found["low"] > twin["high"]
        return "read beyond what is read untaught" if more else "read no better than untaught"
    if found["low"] is None or known["value"] is None or known["value"] <= 0:
        return "nothing to read"
    bound = READABLE * known["value"]
    if found["high"] < bound:
        return "not represented"
    if found["low"] <= bound:
        return "perhaps represented"
    return "represented" if found["low"] > twin["high"] else "represented, as it is untaught"


def _draw(scale: Scale, found: Found) -> Figure:
    figure, axes = panels(1, 2, 8.0, 3.4, sharey=True)
    for ax, split in zip(axes[0], SPLITS, strict=True):
        groups = {
            name: {kind: _at_layer(own[split])["algorithms"][kind]["same"] for kind in _SHOWN}
            | {"untrained": own[split]["untrained"]["algorithms"][CAUSAL]["same"]}
            for name, own in found.items()
        }
        bars(ax, groups, [*_SHOWN, "untrained"])
        chance = _at_layer(next(iter(found.values()))[split])["chance"]
        ax.axhline(chance, color=INK, linewidth=0.8, linestyle=":")
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
        between episodes with the same goal, for random sets of levers, at the layer, the last
        aside, that showed the causal algorithm most in other episodes. Rivals: largest effect,
        correlation, partial correlation, frequencies of expert actions. Where a state is one
        vector, its parts are subspaces that are learnt in other episodes (distributed alignment
        search), each algorithm's own, and for scores dealt out at random. Where a preset has no
        exact posterior, true effects stand for it. For the held-out link, D on E: whether a linear
        probe reads its effect, and whether actions use it.""",
    refuted_if="""the share of replacements after which it does as the causal algorithm does exceeds
        that of the best rival, on the same replacements or on its own, by less than 0.2, by
        intervals, in a network whose state has a part for every pair or variable; where it is one
        vector, that the search finds no such subspaces leaves the claim open. The link counts as
        represented where a linear probe reads 0.8 of what the posterior knows of it.""",
    measures="""Interchange accuracy: shares of replacements that change the causal action, 95 %
        Wilson intervals. Probes: AUC and R2 on systems that they have not seen, bootstrap over
        episodes.""",
    scales=SCALES,
    play=_play,
    parts={"inside": _inside},
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Interchange accuracy by network and algorithm",
)
