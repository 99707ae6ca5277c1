"""Study `people`: what published people's interventions told them, and by what they chose them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedo import reports
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.inference.binary import information
from seedo.people.choices import (
    KINDS,
    SHARPNESS,
    SOFT_LAPSES,
    STRATEGIES,
    Histories,
    attributed,
    best_logs,
    held_out,
    histories,
    kinds_of,
    limited_information,
    links_right,
    scores,
    soft_logs,
)
from seedo.statistics import mean, ratios
from seedo.studies._people_words import agreement
from seedo.studies._study import Study, Work
from seedo.studies._words import told

Array = NDArray[np.float64]

INFORMATION = "information"
_LIMITED: Mapping[str, dict[str, int]] = {
    "information, last test": {"memory": 1},
    "information, last 2 tests": {"memory": 2},
    "information, 2 graphs": {"samples": 2},
    "information, 4 graphs": {"samples": 4},
}
_HABITS = "habits"
RULES = (*STRATEGIES, *_LIMITED, _HABITS)
"""Who is held beside people."""


@dataclass(frozen=True)
class Scale:
    """How much is weighed.

    Attributes:
        people: at most so many of each task; None: all.
        ways: draws of sampled graphs.
        asked: people of each task in whose place a player made of words is put.
    """

    people: int | None
    ways: int
    asked: int


SCALES = {"quick": Scale(20, 4, 5), "full": Scale(None, 8, 30)}


# -- play: the logs are there ----------------------------------------------------------------------


def _play(work: Work[Scale]) -> dict[str, list[Dataset]]:
    """Datasets by task: the folder they lie in, the group of people, and the number of variables
    where an episode has several steps."""
    assert work.data is not None
    found: dict[tuple[str, ...], list[Dataset]] = {}
    for manifest in sorted(work.data.rglob("manifest.json")):
        dataset = Dataset(manifest.parent)
        group = dataset.origin.experimenter.partition(":")[2]
        place = _place(manifest.parent.parent, work.data)
        found.setdefault((place, group), []).append(dataset)
    if not found:
        remedy = "no log of people below it: seedo import --format acl FILES --out FOLDER"
        raise UserError("--data", str(work.data), remedy)
    tasks: dict[str, list[Dataset]] = {}
    for key, some in found.items():
        once = all(dataset.steps == 1 for dataset in some)
        for dataset in some:
            name = " ".join((*filter(None, key), *(() if once else (_size(dataset),))))
            tasks.setdefault(name, []).append(dataset)
    return tasks


def _size(dataset: Dataset) -> str:
    return f"{dataset.origin.n} variables"


def _place(folder: Path, data: Path) -> str:
    return data.resolve().name if folder == data else folder.relative_to(data).as_posix()


# -- measure ----------------------------------------------------------------------------------


def _measure(work: Work[Scale], tasks: dict[str, list[Dataset]]) -> dict[str, Any]:
    return {"tasks": {name: _task(work, name, some) for name, some in tasks.items()}}


def _task(work: Work[Scale], name: str, some: list[Dataset]) -> dict[str, Any]:
    files = [dataset.manifest_hash for dataset in some]
    scale = work.scale
    question = {"files": files, "people": scale.people, "ways": scale.ways, "seed": work.seed}

    def compute() -> dict[str, Any]:
        parts = list(_parts(work, some))
        count = len({person for part in parts for person in part.person})
        work.say(f"{name}: {count} people, {sum(p.chosen.size for p in parts):,} choices")
        return {"people": count, "choices": int(sum(p.chosen.size for p in parts))} | (
            _told(parts) | _links(parts) | _kinds(parts) | _rules(parts, work)
        )

    file = "".join(c if c.isalnum() else "-" for c in name)
    found = work.numbers(f"measured/{file}.json", question, compute)
    return found | _asked(work, file, name, some, question)


def _asked(
    work: Work[Scale], file: str, name: str, some: list[Dataset], question: dict[str, Any]
) -> dict[str, Any]:
    """What a player made of words would have done in people's place, if there is one."""
    player = work.player
    if player is None:
        return {}

    def compute() -> dict[str, Any]:
        work.say(f"{name}: {player.name} in the place of {work.scale.asked} people")
        return agreement(list(_parts(work, some)), player, work.scale.asked, work.seed)

    question = question | {"player": player.name, "asked": work.scale.asked}
    return {"in words": work.numbers(f"asked/{file}.json", question, compute)}


def _parts(work: Work[Scale], some: list[Dataset]) -> Iterator[Histories]:
    batches = [dataset.read() for dataset in some]
    people = sorted({person for batch in batches for person in batch.participant or ()})
    if work.scale.people is not None and len(people) > work.scale.people:
        chosen = np.random.default_rng(work.seed).choice(people, work.scale.people, replace=False)
        people = sorted(map(str, chosen))
    for batch in batches:
        yield from histories(batch, set(people))


def _told(parts: list[Histories]) -> dict[str, Any]:
    """Information of the intervention chosen, of the best and of a random one: means in bits, and
    the shares of the best's; the same of information as a share of all interventions' at a step."""
    rows = []
    for part in parts:
        bits = information(part.beliefs[:, :-1], part.likelihood)
        took = np.take_along_axis(bits, part.chosen[..., None], axis=-1)[..., 0]
        every = np.maximum(bits.sum(axis=-1), 1e-300)
        person, step = np.broadcast_arrays(part.person[:, None], np.arange(took.shape[1]))
        columns = (took, bits.max(axis=-1), bits.mean(axis=-1), every)
        rows.append((person.ravel(), step.ravel(), np.stack([c.ravel() for c in columns])))
    person = np.concatenate([row[0] for row in rows])
    step = np.concatenate([row[1] for row in rows])
    took, best, random, every = np.concatenate([row[2] for row in rows], axis=1)
    whose = np.unique(person, return_inverse=True)[1]

    def shares(keep: NDArray[np.bool_], over: Array) -> dict[str, Any]:
        return {"people": _ratio(took / over, best / over, whose, keep),
                "random": _ratio(random / over, best / over, whose, keep)}  # fmt: skip

    all_of_them, one = np.ones(len(took), np.bool_), np.ones_like(took)
    each = {"people": took, "best": best, "random": random}
    return {
        "bits": {who: mean(values, whose).to_json() for who, values in each.items()},
        "share": shares(all_of_them, one),
        "relative share": shares(all_of_them, every),
        "by test": [shares(step == s, one) for s in _tested(step, whose)],
    }


def _tested(step: NDArray[np.int64], whose: NDArray[np.int64]) -> list[int]:
    """The first tests, as long as at least half of the people make them."""
    people = [len(np.unique(whose[step == s])) for s in range(int(step.max()) + 1)]
    return [s for s, count in enumerate(people) if 2 * count > whose.max()]


def _ratio(upper: Array, lower: Array, whose: NDArray[Any], keep: NDArray[np.bool_]) -> Any:
    """Of sums, with the interval over people."""
    sums = [np.bincount(whose[keep], values[keep], minlength=whose.max() + 1)
            for values in (upper, lower)]  # fmt: skip
    there = np.bincount(whose[keep], minlength=whose.max() + 1) > 0
    return ratios([sums[0][there]], [sums[1][there]])[0].to_json()


def _links(parts: list[Histories]) -> dict[str, Any]:
    """Share of links right after the last test, and after each; nothing where none were drawn."""
    right = [(part.person, links_right(part)) for part in parts]
    right = [(person, share) for person, share in right if np.isfinite(share).any()]
    if not right:
        return {}
    steps = max(share.shape[1] for _, share in right)
    after = []
    for step in range(steps):
        some = [(person, share[:, step]) for person, share in right if share.shape[1] > step]
        whose = np.unique(np.concatenate([p for p, _ in some]), return_inverse=True)[1]
        after.append(mean(np.concatenate([s for _, s in some]), whose).to_json())
    return {"links right": after[-1], "links right by test": after}


def _kinds(parts: list[Histories]) -> dict[str, Any]:
    """Share of each kind of intervention, and among all that could be done."""
    graphs = [part for part in parts if part.graphs is not None]
    if not graphs or len(graphs[0].settings) <= graphs[0].settings.shape[1]:
        return {}  # a machine, or one node at a time
    person = np.concatenate([np.repeat(part.person, part.chosen.shape[1]) for part in graphs])
    whose = np.unique(person, return_inverse=True)[1]
    each = np.concatenate([kinds_of(part.settings)[part.chosen].ravel() for part in graphs])
    could = kinds_of(graphs[0].settings)
    return {
        "kinds": {
            kind: mean((each == k).astype(np.float64), whose).to_json()
            | {"random": float((could == k).mean())}
            for k, kind in enumerate(KINDS)
        }
    }


def _rules(parts: list[Histories], work: Work[Scale]) -> dict[str, Any]:
    """How well each rule predicts people whom it was not fitted to, and whose choices each
    strategy predicts best."""
    people = np.unique(np.concatenate([part.person for part in parts]))
    whose = [np.searchsorted(people, part.person) for part in parts]

    def by_person(each: list[Array]) -> Array:
        found = np.zeros((*each[0].shape[:-1], len(people)))
        for logs, at in zip(each, whose, strict=True):
            np.add.at(found.T, at, logs.T)
        return found

    count = by_person([np.full(len(p.person), float(p.chosen.shape[1])) for p in parts])
    chance = by_person(
        [np.full(len(p.person), -p.chosen.shape[1] * np.log(len(p.settings))) for p in parts]
    )
    strict, found = {}, {}
    for rule in RULES:
        if rule == _HABITS:
            bits, said = _habits(parts, whose, len(people)), ""
        else:
            score = [_scores(part, rule, work) for part in parts]
            if rule in STRATEGIES:
                each = [best_logs(p, s) for p, s in zip(parts, score, strict=True)]
                strict[rule] = by_person(each)
            soft = by_person([soft_logs(p, s) for p, s in zip(parts, score, strict=True)])
            predicted = held_out(soft, count.astype(np.int64), chance)
            bits, said = predicted.bits, _fitted(predicted.fitted)
        if rule == "random":
            continue  # 0 by definition
        found[rule] = mean(bits).to_json() | ({"fitted": said} if said else {})
        found[rule]["of people"] = bits.tolist()
    names, _ = attributed(strict)
    reference = np.array(found[INFORMATION]["of people"])
    for rule in found:
        found[rule]["less information"] = mean(
            np.array(found[rule].pop("of people")) - reference).to_json()  # fmt: skip
    return {
        "predicted": found,
        "attributed": {name: int((names == name).sum()) for name in strict},
    }


def _scores(part: Histories, rule: str, work: Work[Scale]) -> Array:
    if rule in STRATEGIES:
        return scores(part, rule)
    limits = _LIMITED[rule]
    ways = work.scale.ways if "samples" in limits else 1
    return limited_information(part, **limits, ways=ways, seed=work.seed)


def _fitted(parameters: NDArray[np.int64]) -> str:
    """The parameters of most folds, in words."""
    sharpness, lapse = divmod(int(np.bincount(parameters).argmax()), len(SOFT_LAPSES))
    return f"sharpness {SHARPNESS[sharpness]:g}, lapses {SOFT_LAPSES[lapse]:g}"


def _habits(parts: list[Histories], whose: list[NDArray[np.int64]], people: int) -> Array:
    """Bits a choice, beyond random, of who does every kind of thing as often as others do, whatever
    they know: kinds have as many nodes on, off and free."""
    tables = []
    for part in parts:
        counts = np.stack([(part.settings == v).sum(axis=1) for v in (-1, 0, 1)], axis=1)
        tables.append([tuple(row) for row in counts.tolist()])
    kinds = {kind: k for k, kind in enumerate(sorted({kind for table in tables for kind in table}))}
    done = np.zeros((people, len(kinds)))
    gain = []
    for part, table, at in zip(parts, tables, whose, strict=True):
        kind = np.array([kinds[each] for each in table])
        could = np.bincount(kind, minlength=len(kinds)) / len(kind)
        took = kind[part.chosen]
        for b, person in enumerate(at.tolist()):
            np.add.at(done[person], took[b], 1)
        gain.append((took, could, at))
    bits = np.zeros(people)
    total = done.sum(axis=1)
    for fold in range(5):
        out = np.arange(people) % 5 == fold
        often = done[~out].sum(axis=0) + 1
        for took, could, at in gain:
            there = could > 0
            advantage = np.zeros(len(kinds))
            advantage[there] = np.log2(often[there] / often[there].sum() / could[there])
            for b in np.flatnonzero(out[at]).tolist():
                bits[at[b]] += advantage[took[b]].sum()
    found: Array = bits / total
    return found


# -- judge -----------------------------------------------------------------------------------------


def _judge(scale: Scale, values: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    against: list[str] = []
    unsure: list[str] = []
    for name, task in values["tasks"].items():
        people, random = task["share"]["people"], task["share"]["random"]
        line = f"{name}: {task['people']} people gained {told(people, '.2f')} of the best "
        line += f"information (random {random['value']:.2f})"
        if "links right" in task:
            line += f", {task['links right']['value']:.0%} of links right at the end"
        first, last = (task["by test"][at]["people"] for at in (0, -1))
        if len(task["by test"]) > 1:
            line += f"; first test {first['value']:.2f}, last {last['value']:.2f}"
        rules = task["predicted"]
        best = max(rules, key=lambda rule: rules[rule]["value"])
        own = {rule: rules[rule]["value"] for rule in STRATEGIES if rule in rules}
        top = max(own, key=lambda rule: own[rule])
        line += f". Predicted best by {best} ({rules[best]['value']:.2f} bits a choice beyond "
        line += f"random), of the strategies by {top} ({own[top]:.2f})."
        if "in words" in task:
            line += f" {_of_words(task['in words'])}"
        lines.append(line)
        if people["low"] is None or people["low"] <= random["value"]:
            against.append(f"{name}: not above random")
        for rule in own:
            more = rules[rule]["less information"]
            if more["value"] > 0:
                sure = more["low"] is not None and more["low"] > 0
                word = f"{name}: {rule} predicts better by {told(more, '.2f')}"
                (against if sure else unsure).append(word)
    if against:
        return [*lines, f"Refutes the claim: {'; '.join(against + unsure)}."]
    return [*lines, f"Leaves the claim open: {'; '.join(unsure)}." if unsure
            else "Supports the claim."]  # fmt: skip


def _of_words(found: dict[str, Any]) -> str:
    agrees, less = found["agrees"], found["less"][INFORMATION]
    return (
        f"{found['player']} would have done what people did in "
        f"{told(agrees[found['player']], '.2f')} of {found['choices']:,} choices (information "
        f"{agrees[INFORMATION]['value']:.2f}, so {told(less, '.2f')} less that; random "
        f"{agrees['random']['value']:.2f}); {agrees['no test']['value']:.0%} of its replies said "
        "no test."
    )


# -- draw ------------------------------------------------------------------------------------------


def _draw(scale: Scale, values: dict[str, Any]) -> Figure:
    tasks = values["tasks"]
    figure, [[left, right]] = reports.panels(1, 2, 11, 3.2 + 0.12 * len(tasks))
    for i, (name, task) in enumerate(tasks.items()):
        shares = [at["people"]["value"] for at in task["by test"]]
        left.plot(range(1, len(shares) + 1), shares, "o-", color=f"C{i}", label=name, ms=3)
        found = [task["predicted"][rule]["value"] for rule in RULES if rule != "random"]
        right.plot(found, range(len(found)), "o", color=f"C{i}", ms=4)
    left.set(xlabel="test", ylabel="information, share of the best possible", ylim=(0, 1))
    right.axvline(0, color=reports.GREY, lw=1)
    right.set_yticks(range(len(RULES) - 1), [rule for rule in RULES if rule != "random"])
    right.set(xlabel="bits a choice beyond random, people held out")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4,
                  fontsize=7)  # fmt: skip
    return figure


def _table(scale: Scale, values: dict[str, Any]) -> str:
    rules = [rule for rule in RULES if rule != "random"]
    lines = ["| task | people | bits: people, best, random | share | links right | "
             + " | ".join(rules) + " | attributed |"]  # fmt: skip
    lines.append("|" + "---|" * (6 + len(rules)))
    for name, task in values["tasks"].items():
        bits = ", ".join(
            f"{task['bits'][who]['value']:.3f}" for who in ("people", "best", "random")
        )
        links = f"{task['links right']['value']:.2f}" if "links right" in task else "–"
        cells = [f"{task['predicted'][rule]['value']:.2f}" for rule in rules]
        whose = json.dumps(task["attributed"])[1:-1].replace('"', "")
        share = told(task["share"]["people"], ".2f")
        row = (name, str(task["people"]), bits, share, links, *cells, whose)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


STUDY = Study(
    name="people",
    claim="""People's interventions tell them more than random ones would, and of the strategies
        (random, positive test, largest effect, information) it is information that predicts best
        what they choose.""",
    design="""Published logs of people who held nodes of small causal systems on or off. Beliefs are
        exact, from equal ones over every graph (or the two that were told, or every rule of a
        machine), with the rates that people were told. Every intervention that could be chosen has
        an expected information at every step. A rule predicts by the softmax of its scores, with
        lapses; both are fitted on four fifths of the people and judged on the rest. A person is
        attributed the strategy whose best intervention, with lapses in at most half of the choices,
        makes their choices likeliest.""",
    refuted_if="""in some task the interval of the share of the best information does not lie above
        random's, or that of what another strategy predicts beyond information, people held out,
        lies above 0.""",
    measures="""bits: expected information a test; share: its sum over that of the best, with 95 %
        intervals over people; relative share: the same, each step's information a share of the sum
        over all interventions; by test: the share at each; links right: pairs of nodes drawn as
        they are, after the last test; kinds: of interventions; predicted: bits a choice beyond
        choosing at random, people held out; habits: who does each kind of thing as often as
        others, whatever is known; attributed: people a strategy; in words: with --player, shares of
        people's choices that a player made of words, told their history, would have made too""",
    scales=SCALES,
    play=_play,
    measure=_measure,
    judge=_judge,
    draw=_draw,
    shows="What people's interventions told them, and what predicts them",
    table=_table,
    takes_player=True,
    needs_data="a folder of logs of people: seedo import --format acl FILES --out FOLDER",
)
