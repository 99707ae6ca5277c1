"""Study `prompts`: what the switches of a prompt are worth to a player of words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seedo import worlds
from seedo.episodes import Dataset
from seedo.language import Conditions
from seedo.language.runs import Examples, draw_candidates, first_examples, same_world
from seedo.statistics import (
    LEVEL,
    Estimate,
    MainEffect,
    Observed,
    main_effects,
    mean,
)
from seedo.studies._estimates import power_of
from seedo.studies._spoken import Run, Said, malformed, player_of, said, shown, tokens, words_of
from seedo.studies._study import Study, Work

SWITCHES = ("reasoning", "check", "instruction", "examples", "explanations", "tools")
EXAMPLES = 2
MARGIN = 0.1
"""Of what there is to gain (omniscient less random return): what counts as a difference."""


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    world: dict[str, Any]  # settings of world `dag`
    episodes: int  # under each setting of the switches
    sets: int  # of examples, of which the best is shown
    validation: int  # episodes that each set is tried on


def settings(base: Conditions, with_tools: bool) -> dict[str, Conditions]:
    """The prompts of the design, by name.

    Reasoning, check, instruction and tools in half of their 16 combinations, that with an even
    number of switches thrown (2^(4-1), resolution IV: no main effect is mixed up with another or
    with an interaction of two), each without examples, with them and with explained ones. Crossed
    and not a seventh switch, because explanations are nothing without examples. Without tools: all
    8 combinations of the other three.
    """
    found = {}
    for thrown in product((False, True), repeat=3):
        reasoning, check, strategy = thrown
        tools = with_tools and sum(thrown) % 2 == 1
        for shots in ("", "examples", "explained"):
            switches = {"reasoning": reasoning, "check": check, "strategy": strategy,
                        "tools": tools, shots: bool(shots)}  # fmt: skip
            name = "-".join(switch for switch, on in switches.items() if on) or "plain"
            found[name] = replace(
                base,
                reasoning=reasoning,
                check=check,
                instruction="strategy" if strategy else "rules",
                tools="analysis" if tools else "none",
                examples=EXAMPLES if shots else 0,
                explanations=shots == "explained",
            )
    return found


class Played(NamedTuple):
    """Who played; by prompt what was to be played and was; the examples chosen, and how each set
    of them did."""

    player: str
    chosen: dict[str, Run]
    runs: dict[str, Dataset]
    examples: Examples
    tried: list[float]


def _play(work: Work[Scale]) -> Played:
    player, scale = player_of(work, SWITCHES), work.scale
    world = same_world("dag", worlds.make("dag", **scale.world).config())
    base = replace(player.conditions, examples=EXAMPLES)
    candidates = draw_candidates(base, work.seed, scale.sets)
    trials = [
        Run(work.out / "validation" / f"examples-{i}", world, scale.validation, base, own,
            "validation")
        for i, own in enumerate(candidates)
    ]  # fmt: skip

    def runs(examples: Examples) -> dict[str, Run]:
        return {
            name: Run(work.out / "runs" / name, world, scale.episodes, conditions,
                      examples if conditions.examples else None)
            for name, conditions in settings(player.conditions, player.calls_tools).items()
        }  # fmt: skip

    foreseen = [*trials, *runs(first_examples(base, work.seed)).values()]
    player.foresee(foreseen, work.seed, work.say)
    tried = [float(_returns(player.play(t, work.seed, work.say)).mean()) for t in trials]
    best = candidates[int(np.argmax(tried))]
    chosen = runs(best)
    played = {name: player.play(run, work.seed, work.say) for name, run in chosen.items()}
    work.runs.extend(str(run.folder) for run in chosen.values())
    return Played(player.name, chosen, played, best, tried)


def _measure(_: Work[Scale], played: Played) -> dict[str, Any]:
    words = {name: said(run) for name, run in played.runs.items()}
    effects = _effects(played.chosen, played.runs, words)
    alone = {switch: own.effect for switch, own in effects["return"].items()}
    batch = played.runs["plain"].read(without=played.runs["plain"].optional)
    return {
        "player": played.player,
        "said": words_of([s for own in words.values() for s in own]),
        "effects": effects,
        "simultaneous": {switch: widened(e, len(alone)) for switch, e in alone.items()},
        "power": {switch: power_of(e) for switch, e in alone.items()},
        "margin": MARGIN * float(batch.oracle_return.mean() - batch.random_return.mean()),
        "settings": {
            name: {
                "conditions": played.chosen[name].conditions.to_dict(),
                "return": mean(_returns(run)),
                "malformed": malformed(words[name]),
                "tokens": tokens(words[name]),
            }
            for name, run in played.runs.items()
        },
        "examples": {"chosen": played.examples.to_dict(), "returns of sets": played.tried},
    }


def _judge(scale: Scale, values: Mapping[str, Any]) -> list[str]:
    powers = [p for p in values["power"].values() if p]
    line = "Power: no switch makes any difference in any episode."
    if powers:
        line = max(powers, key=lambda p: p.detectable).line
    settings, effects = values["settings"], values["effects"]
    return [
        f"{values['player']}: {len(settings)} prompts, {scale.episodes:,} episodes each; "
        f"{values['said']}",
        f"Plain prompt {shown(settings['plain']['return'])}; there is "
        f"{values['margin'] / MARGIN:.2f} to gain over random play.",
        *(_line(switch, effects) for switch in effects["return"]),
        line,
        judge(values["simultaneous"], values["margin"]),
    ]


def _returns(run: Dataset) -> NDArray[np.float32]:
    return run.read(without=run.optional).returns


def _effects(
    runs: Mapping[str, Run], played: Mapping[str, Dataset], words: Mapping[str, Sequence[Said]]
) -> dict[str, dict[str, MainEffect]]:
    """Main effects on each episode's return, malformed replies and tokens (where counted)."""
    tables: dict[str, list[Observed]] = {"return": [], "malformed": [], "tokens": []}
    for name, run in played.items():
        switches = {k: v for k, v in runs[name].conditions.to_dict().items() if k in SWITCHES}
        returns = _returns(run).tolist()
        for episode, (value, own) in enumerate(zip(returns, words[name], strict=True)):
            used = math.nan if own.tokens is None else own.tokens
            for of, figure in zip(tables, (value, own.malformed, used), strict=True):
                tables[of].append(Observed(episode, switches, float(figure)))
    if any(math.isnan(row.value) for row in tables["tokens"]):
        del tables["tokens"]
    return {of: main_effects(table, Conditions().to_dict()) for of, table in tables.items()}


def widened(effect: Estimate, among: int) -> Estimate:
    """A t interval made wide enough that `among` such hold together (Bonferroni)."""
    if effect.low is None or effect.high is None or effect.value is None:
        return effect
    single, joint = (stats.t.ppf(1 - (1 - LEVEL) / 2 / k, effect.n - 1) for k in (1, among))
    half = (effect.high - effect.value) * float(joint / single)
    return Estimate(effect.value, effect.value - half, effect.value + half, effect.n)


def judge(effects: Mapping[str, Estimate], least: float) -> str:
    """Which switches matter by more than `least`, and what that says about the claim."""

    def where(holds: Any) -> list[str]:
        return [
            switch
            for switch, e in effects.items()
            if e.low is not None and e.high is not None and holds(e.low, e.high)
        ]

    better = where(lambda low, high: low > least)
    worse = where(lambda low, high: high < -least)
    within = where(lambda low, high: -least < low and high < least)
    matter = [f"{switch} helps" for switch in better] + [f"{switch} harms" for switch in worse]
    found = "supports the claim" if matter else "leaves the claim open"
    if len(within) == len(effects):
        found = "refutes the claim"
    return (
        f"By a margin of {least:.2f} ({MARGIN:.0%} of what there is to gain), all intervals "
        f"together: {', '.join(matter) or 'no switch is sure to matter'}; "
        f"{', '.join(within) or 'none'} sure not to. This {found}."
    )


def _line(switch: str, effects: Mapping[str, Mapping[str, MainEffect]]) -> str:
    own = effects["return"][switch]
    also = f"; malformed replies in an episode {shown(effects['malformed'][switch].effect)}"
    if "tokens" in effects:
        also += f", tokens in an episode {shown(effects['tokens'][switch].effect, 0)}"
    return f"{switch} {own.high} less {own.low}: return {shown(own.effect)}{also}."


STUDY = Study(
    name="prompts",
    claim="""What the player achieves depends on how it is asked: reasoning, a check of its theory
        against the data, an instruction in strategy, examples, their explanations or tools of
        analysis change its mean return.""",
    design="""World `dag`, linear, 5 variables, 5 experiments, nonsense names. Reasoning, check,
        instruction and tools in a half fraction of their combinations (2^(4-1), resolution IV; a
        player that calls no tools: all of the other three), crossed with no examples, 2, and 2
        explained: 24 prompts, the same episodes under each. A factorial, because every run counts
        for every switch: throwing one switch at a time needs 2.3 to 3.5 times as many episodes for
        the same interval, and says nothing beyond the plain prompt. The examples are an expert's,
        of a stream of their own, chosen on the validation stream. Main effects: least squares
        within each episode, t intervals over episodes; that of examples is unexplained ones less
        none, that of explanations explained ones less unexplained.""",
    refuted_if=f"""all six intervals of main effects, made wide enough to hold together
        (Bonferroni), lie within {MARGIN} of omniscient less random return. One that lies beyond
        supports the claim; anything else leaves it open.""",
    measures="main effects of switches on the mean return, in the world's unit",
    scales={"quick": Scale({}, 16, 3, 8), "full": Scale({}, 96, 8, 16)},
    play=_play,
    measure=_measure,
    judge=_judge,
    needs_player=True,
)
