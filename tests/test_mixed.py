"""People, agents and systems in one model: statistics and `review --mixed`."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from command import run
from seedo.episodes import concatenate, write_batch
from seedo.errors import UserError
from seedo.evaluation import review
from seedo.experimenters import scripted
from seedo.play import episodes
from seedo.reports import mixed_table, write_report
from seedo.statistics import NOBODY, crossed_scores
from seedo.worlds import DagWorld, configure

PEOPLE, TASKS = 12, 8


def balanced(seed=1):
    """[condition, person, system] scores, every person with every system."""
    rng = np.random.default_rng(seed)
    return (
        np.array([0.4, 0.6])[:, None, None]
        + rng.normal(0, 0.3, (2, PEOPLE, 1))
        + rng.normal(0, 0.3, TASKS)
        + rng.normal(0, 0.2, (2, 1, TASKS))
        + rng.normal(0, 0.2, (2, PEOPLE, TASKS))
    )


def long(table):
    condition, person, system = np.indices(table.shape)
    whose = condition * PEOPLE + person
    return table.ravel(), condition.ravel(), whose.ravel(), system.ravel()


def test_a_balanced_design_comes_out_as_its_analysis_of_variance_says():
    table = balanced()
    fit = crossed_scores(*long(table))
    found = fit.difference(1, 0)
    own = table.mean(axis=(1, 2))
    assert found.value == pytest.approx(own[1] - own[0])
    # Mean squares of a design with people nested in conditions and crossed with systems.
    of_person, of_cell = table.mean(axis=2), table.mean(axis=1)
    people = TASKS * ((of_person - own[:, None]) ** 2).sum() / (2 * (PEOPLE - 1))
    both = of_cell - own[:, None] - of_cell.mean(axis=0) + own.mean()
    cells = PEOPLE * (both**2).sum() / (TASKS - 1)
    rest = table - of_person[..., None] - of_cell[:, None] + own[:, None, None]
    left = (rest**2).sum() / (2 * (PEOPLE - 1) * (TASKS - 1))
    assert min(people, cells) > left  # else REML is not what the mean squares say
    assert fit.spread["person"] ** 2 == pytest.approx((people - left) / TASKS, rel=2e-3)
    assert fit.spread["player x system"] ** 2 == pytest.approx((cells - left) / PEOPLE, rel=2e-3)
    assert fit.spread["rest"] ** 2 == pytest.approx(left, rel=2e-3)
    # Satterthwaite (1946): a sum of mean squares, each with its own degrees of freedom.
    parts = (
        (people, 2 * (PEOPLE - 1)),
        (cells, TASKS - 1),
        (-left, 2 * (PEOPLE - 1) * (TASKS - 1)),
    )
    total = sum(square for square, _ in parts)
    free = total**2 / sum(square**2 / own for square, own in parts)
    half = stats.t.ppf(0.975, free) * np.sqrt(2 * total / (PEOPLE * TASKS))
    assert found.high - found.value == pytest.approx(half, rel=5e-3)
    assert found.low == pytest.approx(2 * found.value - found.high)


def test_units_of_the_score_do_not_matter():
    score, *who = long(balanced())
    small, large = crossed_scores(score, *who), crossed_scores(1e4 * score, *who)
    assert large.difference(0, 1).high == pytest.approx(1e4 * small.difference(0, 1).high, rel=1e-3)
    assert large.of(0).low == pytest.approx(1e4 * small.of(0).low, rel=1e-3, abs=1)


def test_an_agent_has_no_people_in_its_level():
    """The more alike people are, the less it matters how few they are; an agent's level does not
    become less certain by people who differ."""
    table = balanced()
    table[1] = table[1, :1]  # an agent: one line of scores, whoever
    score, player, person, system = long(table)
    keep = (player == 0) | (person == PEOPLE)
    person = np.where(player == 1, NOBODY, person)
    fit = crossed_scores(score[keep], player[keep], person[keep], system[keep])
    spread = fit.spread
    of_systems = sum(spread[n] ** 2 for n in ("system", "player x system")) + spread["rest"] ** 2
    assert fit.covariance[1, 1] == pytest.approx(of_systems / TASKS, rel=0.01)
    assert fit.covariance[0, 0] == pytest.approx(
        spread["person"] ** 2 / PEOPLE
        + (spread["system"] ** 2 + spread["player x system"] ** 2) / TASKS
        + spread["rest"] ** 2 / PEOPLE / TASKS, rel=0.01)  # fmt: skip


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (lambda p, w, s: (p == 0) | (w < PEOPLE + 4), "4 people under one name"),
        (lambda p, w, s: s < 4, "4 systems: a mixed model needs 5"),
        (lambda p, w, s: p == 0, "one player alone"),
    ],
)
def test_too_few_are_refused_in_a_line(keep, words):
    score, player, person, system = long(balanced())
    kept = keep(player, person, system)
    assert words in crossed_scores(score[kept], player[kept], person[kept], system[kept])


def test_what_has_no_spread_or_is_too_much_is_refused():
    score, *who = long(balanced())
    assert crossed_scores(np.ones_like(score), *who) == "all scores are alike"
    many = [np.tile(each, 30) for each in (score, *who)]
    assert "5,760 episodes: the mixed model takes up to 4,000" in crossed_scores(*many)
    with pytest.raises(UserError, match="score"):
        crossed_scores(np.full_like(score, np.nan), *who)


# -- review ----------------------------------------------------------------------------------------

NAMES = (
    "random",
    "largest-effect",
    "best-outcome",
    "total-correlation",
    "random",
    "largest-effect",
)
SYSTEMS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six people who play as six agents do, and the best of these, which met other systems too."""
    world = DagWorld(configure(n=3))
    found = tmp_path_factory.mktemp("mixed")
    parts = []
    for number, name in enumerate(NAMES):
        part = episodes(world, scripted(name), 0, "perform", 0, SYSTEMS, systems=True)
        origin = dataclasses.replace(part.origin, experimenter="person", created="2025-01-01")
        whose = [f"p{number}"] * SYSTEMS
        part = dataclasses.replace(part, origin=origin, participant=whose, action_logits=None)
        parts.append(part)
    write_batch(found / "people", concatenate(parts))
    agent = episodes(world, scripted("largest-effect"), 0, "perform", 0, 2 * SYSTEMS, systems=True)
    write_batch(found / "agent", agent)
    return found


def test_a_review_weighs_people_and_agents_on_the_systems_that_people_met(folder, tmp_path, capsys):
    paths = [str(folder / "people"), str(folder / "agent")]
    code, out, err = run(capsys, "review", *paths, "--mixed", "--json")
    assert code == 0, err
    (group,) = json.loads(out)["groups"]
    told = group["mixed"]
    assert (told["people"], told["systems"], told["reason"]) == (6, SYSTEMS, "")
    levels = {level["player"]: level for level in told["levels"]}
    assert (levels["person"]["people"], levels["person"]["episodes"]) == (6, 6 * SYSTEMS)
    assert (levels["largest-effect"]["people"], levels["largest-effect"]["episodes"]) == (
        0,
        SYSTEMS,
    )
    # Everybody met every system: differences are those of means, as system by system.
    (pair,), (beside,) = told["differences"], group["beside"]
    assert pair["difference"]["value"] == pytest.approx(beside["difference"]["value"], abs=1e-6)
    assert pair["difference"]["low"] < pair["difference"]["value"] < pair["difference"]["high"]
    reviewed = review(paths, mixed=True)
    from rich.console import Console

    console = Console(width=120, record=True, file=open(tmp_path / "out", "w"))
    console.print(mixed_table(reviewed))
    shown = console.export_text()
    assert "person less largest-effect" in shown
    assert "random intercepts: person, system" in shown
    write_report(reviewed, tmp_path / "report.html")
    assert "People and others in one mixed model" in (tmp_path / "report.html").read_text()
    assert review(paths).groups[0].mixed is None


def test_without_people_there_is_no_mixed_model(folder, capsys):
    code, _, err = run(capsys, "review", str(folder / "agent"), "--mixed")
    assert code == 2
    assert "--mixed: no run is people's" in " ".join(err.split())
