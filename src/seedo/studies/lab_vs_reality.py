"""Study `lab-vs-reality`: trained in simulation alone, playing recorded laboratories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from seedo import reports
from seedo.errors import UserError
from seedo.experimenters import Proposer
from seedo.experimenters.proposers.tuner import TunerProposer, read_tuner
from seedo.studies._campaigns import (
    CHOSEN,
    FIRST,
    Campaign,
    by_name,
    paired,
    played,
    read_campaigns,
    untrained,
)
from seedo.studies._estimates import RESAMPLES, estimate
from seedo.studies._strangeness import strangeness
from seedo.studies._study import Study, Work
from seedo.studies._words import told

Array = NDArray[np.float64]

TUNER, UNTRAINED, RANDOM = "pretrained:tuner", "untrained tuner", "random"
AFTER = (10, 20)
"""Chosen runs after which regret is told."""


@dataclass(frozen=True)
class Scale:
    """How much is run: starts by player, and campaigns at most."""

    starts: Mapping[str, int]
    campaigns: int


_DEAR = ("sobol", "one-factor", "response-surface", "bayes:mechanisms")
SCALES = {
    "quick": Scale({RANDOM: 12, TUNER: 6, UNTRAINED: 6, "response-surface": 2}, 2),
    "full": Scale({RANDOM: 200, TUNER: 100, UNTRAINED: 100} | dict.fromkeys(_DEAR, 30), 1000),
}

Regrets = dict[str, dict[str, dict[int, list[float]]]]
"""By campaign, player and start: after each run."""


@dataclass(frozen=True, eq=False)
class Played:
    """What was played, and how strange each campaign is to the training worlds."""

    regrets: Regrets
    strange: dict[str, dict[str, Any]]


def _play(work: Work[Scale]) -> Played:
    assert work.data is not None
    campaigns = read_campaigns(work.data)[: work.scale.campaigns]
    players = _players(work)
    regrets: Regrets = {}
    for campaign in campaigns:
        found = {name: _runs(work, campaign, name, *who) for name, who in players.items()}
        for name, rivals in _rivals(work.out / "rivals", campaign).items():
            if name in found:
                raise UserError(str(work.out / "rivals"), name, "a player of this study: rename it")
            found[name] = rivals
        regrets[campaign.name] = {
            name: {run["start"]: run["regret"] for run in runs} for name, runs in found.items()
        }
    strange = work.numbers(
        "strangeness.json",
        {"campaigns": [[c.name, c.digest] for c in campaigns], "seed": work.seed},
        lambda: strangeness(campaigns, work.seed),
    )
    return Played(regrets, strange)


def _players(work: Work[Scale]) -> dict[str, tuple[Proposer | None, str, int]]:
    """By name: the player, what tells it from others of the name, and how many starts."""
    found: dict[str, tuple[Proposer | None, str, int]] = {}
    for name, starts in work.scale.starts.items():
        player: Proposer | None = None
        if name == UNTRAINED:
            player = untrained()
        elif name != RANDOM:
            player = by_name(name)
        found[name] = (player, _digest(player), starts)
    for path in sorted((work.out / "tuners").glob("*.safetensors")):
        player = TunerProposer(read_tuner(path))
        found[f"tuner {path.stem}"] = (player, _digest(player), work.scale.starts[TUNER])
    return found


def _digest(player: Proposer | None) -> str:
    if not isinstance(player, TunerProposer):
        return ""
    whole = b"".join(player.weights[name].tobytes() for name in sorted(player.weights))
    return hashlib.sha256(whole).hexdigest()[:16]


def _runs(
    work: Work[Scale], campaign: Campaign, name: str, player: Proposer | None, digest: str,
    starts: int,
) -> list[dict[str, Any]]:  # fmt: skip
    def compute() -> list[dict[str, Any]]:
        work.say(f"{campaign.name}: {name}, {starts} starts")
        return [played(campaign, player, work.seed + i) for i in range(starts)]

    question = {"campaign": [campaign.number, campaign.digest], "player": [name, digest],
                "seed": work.seed, "starts": starts}  # fmt: skip
    file = f"runs/{campaign.name}-{name.replace(':', '-').replace(' ', '-')}.json"
    found: list[dict[str, Any]] = work.numbers(file, question, compute)
    return found


def _rivals(folder: Path, campaign: Campaign) -> dict[str, list[dict[str, Any]]]:
    """Runs of others on a campaign, by player: `rivals/*.json`, one a file.

    Raises:
        UserError: a file is no run, or starts otherwise.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            run = json.loads(path.read_text())
        except ValueError as error:
            raise UserError(str(path), None, f"is no JSON ({error}): delete it") from None
        if not isinstance(run, dict) or not isinstance(run.get("player"), str):
            raise UserError(str(path), None, "is no run: campaign, seed, player and chosen")
        if run.get("campaign") == campaign.name:
            found.setdefault(run["player"], []).append(paired(campaign, run, str(path)))
    return found


def _measure(work: Work[Scale], found: Played) -> dict[str, Any]:
    campaigns = {
        name: _of_campaign(players) | {"strangeness": found.strange[name]}
        for name, players in found.regrets.items()
    }
    names = _names(found.regrets)
    pooled = {
        name: {
            f"less {other}": _pooled([(p[name], p[other]) for p in found.regrets.values()])
            for other in (RANDOM, UNTRAINED, *_rival_names(work.scale, names))
            if other != name
        }
        | {"rank": _rank(found.regrets, name)}
        for name in names
    }
    return {"campaigns": campaigns, "pooled": pooled}


def _names(regrets: Regrets) -> list[str]:
    """Players who played all campaigns."""
    each = list(regrets.values())
    return [name for name in each[0] if all(name in players for players in each)]


def _rival_names(scale: Scale, names: list[str]) -> list[str]:
    return [name for name in names if name not in scale.starts and not name.startswith("tuner ")]


def _of_campaign(players: Mapping[str, Mapping[int, list[float]]]) -> dict[str, Any]:
    chance = players[RANDOM]
    return {
        "players": {
            name: {measure: _mean(_scores(runs.values())[measure]) for measure in _MEASURES}
            | {"curve": np.mean(list(runs.values()), axis=0).round(4).tolist()}
            for name, runs in players.items()
        },
        "less random": {
            name: {m: _mean(d) for m, d in _differences(runs, chance).items()}
            for name, runs in players.items()
            if name != RANDOM
        },
    }


_MEASURES = (*(f"after {n}" for n in AFTER), "area")


def _scores(curves: Iterable[list[float]]) -> dict[str, Array]:
    """Regret after so many chosen runs, and its mean over them, float64[starts]."""
    regret = np.array(list(curves))[:, FIRST:]
    return {f"after {n}": regret[:, n - 1] for n in AFTER} | {"area": regret.mean(axis=1)}


def _differences(
    runs: Mapping[int, list[float]], others: Mapping[int, list[float]]
) -> dict[str, Array]:
    """Of scores on the starts that both played."""
    both = sorted(runs.keys() & others.keys())
    own, other = (_scores([r[start] for start in both]) for r in (runs, others))
    return {measure: own[measure] - other[measure] for measure in own}


def _mean(scores: Array) -> dict[str, Any]:
    """With the percentile interval of the bootstrap over starts."""
    return estimate(scores.mean(), _resampled(scores, np.random.default_rng(0)), len(scores))


def _resampled(scores: Array, rng: np.random.Generator) -> Array:
    count = len(scores)
    times = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    found: Array = times @ scores / count
    return found


def _pooled(
    pairs: list[tuple[Mapping[int, list[float]], Mapping[int, list[float]]]],
) -> dict[str, Any]:
    """Mean over campaigns of the mean paired difference: on these campaigns (starts are
    resampled), and on campaigns like these (campaigns are resampled too)."""
    rng = np.random.default_rng(0)
    each = [_differences(*pair) for pair in pairs]
    which = rng.integers(len(each), size=(RESAMPLES, len(each)))
    found: dict[str, Any] = {}
    for measure in _MEASURES:
        draws = np.array([_resampled(d[measure], rng) for d in each])  # [campaigns, RESAMPLES]
        value = float(np.mean([d[measure].mean() for d in each]))
        count = sum(len(d[measure]) for d in each)
        wider = np.take_along_axis(draws.T, which, axis=1).mean(axis=1)
        found[measure] = estimate(value, draws.mean(axis=0), count)
        found[f"{measure}, other campaigns"] = estimate(value, wider, len(each))
    return found


def _rank(regrets: Regrets, name: str) -> float:
    """Mean rank by regret in the end (1: best; ties share) on starts that all played."""
    names = _names(regrets)
    ranks = []
    for players in regrets.values():
        common = sorted(set.intersection(*(set(players[n]) for n in names)))
        last = np.array([[players[n][s][-1] for n in names] for s in common])
        ranks.append(stats.rankdata(last, axis=1)[:, names.index(name)].mean())
    return round(float(np.mean(ranks)), 3)


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    pooled, campaigns = values["pooled"], values["campaigns"]
    lines = []
    for name in pooled:
        if name == RANDOM:
            continue
        end = {c: v["less random"][name]["after 20"] for c, v in campaigns.items()}
        better = [c for c, d in end.items() if d["high"] < 0]
        worse = [c for c, d in end.items() if d["low"] > 0]
        lines.append(
            f"{name}: above random after 20 on {len(better)} of {len(end)} campaigns"
            f"{_listed(' (not: ', [c for c in end if c not in better])}"
            f"{_listed(', below it on ', worse, '')}; regret less random's "
            f"{told(pooled[name][f'less {RANDOM}']['after 20'])}, mean rank {pooled[name]['rank']}."
        )
    for rival, n in product(_rival_names(scale, list(pooled)), AFTER):
        own = pooled[TUNER][f"less {rival}"][f"after {n}"]
        word = "no worse by more than 0.03" if own["high"] <= 0.03 else "may be worse by over 0.03"
        lines.append(f"{TUNER} less {rival} after {n}: {told(own)}: {word}.")
    own = pooled[TUNER][f"less {UNTRAINED}"]["area"]
    word = (
        "pays" if own["high"] < 0 else "harms" if own["low"] > 0 else "changes nothing measurable"
    )
    lines.append(f"Training {word}: area less that of the untrained network {told(own)}.")
    return lines


def _listed(before: str, names: list[str], after: str = ")") -> str:
    return f"{before}{', '.join(names)}{after}" if names else ""


def _table(scale: Scale, values: dict[str, Any]) -> str:
    names = list(values["pooled"])
    head = "| campaign | " + " | ".join(names) + " | strangeness |"
    lines = [head, "|" + "---|" * (len(names) + 2)]
    for campaign, found in values["campaigns"].items():
        own = found["players"]
        cells = [" / ".join(f"{own[n][f'after {k}']['value']:.3f}" for k in AFTER) for n in names]
        strange = found["strangeness"]["percentile"]
        lines.append(f"| {campaign} | {' | '.join(cells)} | {strange:.0f} |")
    return "\n".join(lines) + "\n"


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    campaigns = values["campaigns"]
    columns = min(5, len(campaigns))
    rows = -(-len(campaigns) // columns)
    figure, axes = reports.panels(rows, columns, 3.0 * columns, 2.6 * rows)
    names = list(values["pooled"])
    for ax, (campaign, found) in zip(axes.ravel(), campaigns.items(), strict=False):
        for i, name in enumerate(names):
            curve = found["players"][name]["curve"][FIRST - 1 :]
            ax.plot(range(len(curve)), curve, label=name, color=f"C{i}",
                    lw=2.2 if name == TUNER else 1.2)  # fmt: skip
        ax.set(title=campaign, xlabel="chosen runs", ylabel="regret")
    for ax in axes.ravel()[len(campaigns) :]:
        ax.set_axis_off()
    handles, labels = axes.ravel()[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return figure


STUDY = Study(
    name="lab-vs-reality",
    claim="""A network that learnt from logs of simulated campaigns alone chooses experiments in
        recorded laboratories better than chance, and no worse than Bayesian optimisation.""",
    design=f"""Recorded campaigns, replayed: only recorded settings can be chosen, and a run reads
        what one of the replicates did. {FIRST} runs at random, the same for all players of a start,
        then {CHOSEN} chosen ones. Players: the tuner, the same network before training, random
        settings none twice, and players without training; further tuners are read from tuners/ in
        the study's folder (*.safetensors), runs of others on the same starts from rivals/ (see
        benchmarks/recorded_rival.py). A campaign with several goals is played for its first. How
        strange a campaign is to the training worlds: by how much the outcomes of
        settings surprise the untrained network, among simulated systems.""",
    refuted_if="""after 20 runs the tuner's regret is not below that of random settings on nine of
        ten campaigns, with 95 % intervals over starts; or the upper end of its mean difference to
        the rival exceeds 0.03.""",
    measures="""after 10, after 20: regret, (best - best so far) / (best - worst) of settings' mean
        outcomes, after so many chosen runs; area: its mean over them; curve: after each of all
        runs; less X: paired differences on starts that both played, with 95 % bootstrap intervals
        over starts, and, for 'other campaigns', over campaigns too; rank: by regret in the end, 1
        is best""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="Regret in recorded laboratories",
    table=_table,
    needs_data="a folder of recorded campaigns: folders with data.csv and config.json, or tables",
)
