from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from seedo.episodes import write_batch
from seedo.errors import UserError
from seedo.language import Conditions, DagScene, converse
from seedo.language.measures import Arm, recitation, recitation_of
from seedo.language.scenes import (
    NONSENSE,
    THEMES,
    familiar,
    name_variables,
    without_directions,
)
from seedo.play import Live, find_player, live_batch, origin
from seedo.worlds import DagConfig, DagWorld

SYSTEMS = 200
KINDS = ("familiar", "contrary", "permuted")
PLACE = {
    word: (theme, place, pole)
    for theme, chain in THEMES.items()
    for place, pair in enumerate(chain)
    for word, pole in zip(pair, (1, -1), strict=True)
}


@pytest.fixture(scope="module")
def world():
    return DagWorld(DagConfig())


@pytest.fixture(scope="module")
def rich_world():
    """Hidden confounders, irrelevant variables, another goal at each exploit step, not linear."""
    return DagWorld(
        DagConfig(
            n=8,
            relevant=5,
            confounders=2,
            mechanism="tanh",
            goals="fresh",
            exploits=3,
            experiments=0,
            split="shifted-noise",
        )
    )


@pytest.fixture(scope="module")
def played(world):
    return [Live(world, 7, "perform", i) for i in range(SYSTEMS)]


def named(episode, kind):
    return name_variables(episode, kind, 7, "perform")


def system_of(episode):
    """Weights between visible variables, total effects (I - W)^-1 - I, and the first goal."""
    n = episode.world.spec.n
    weights = np.asarray(episode.task.system.weights, np.float64)[:n, :n]
    total = np.linalg.inv(np.eye(n) - weights) - np.eye(n)
    total[np.abs(total) < 1e-9] = 0
    return weights, total, int(next(g for g in np.asarray(episode.task.goal) if g >= 0))


def places(names):
    return np.array([PLACE[w][1] for w in names.words])


def poles(names):
    return np.array([PLACE[w][2] for w in names.words])


def arrows_with_theme(episode, names):
    causes, effects = np.nonzero(system_of(episode)[0])
    return (places(names)[causes] < places(names)[effects]).tolist()


def test_there_are_many_themes_of_ten_variables_whose_words_fit_the_grammar_and_occur_once():
    assert len(THEMES) >= 16
    words = [word for chain in THEMES.values() for pair in chain for word in pair]
    assert all(len(chain) >= 10 for chain in THEMES.values())
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", word) and len(word) <= 40 for word in words)
    assert len({*words, *NONSENSE}) == len(words) + len(NONSENSE)


def test_familiar_names_run_along_every_arrow_of_200_systems_and_contrary_ones_against_it(played):
    assert all(all(arrows_with_theme(e, named(e, "familiar"))) for e in played)
    assert not any(any(arrows_with_theme(e, named(e, "contrary"))) for e in played)


def test_permuted_names_run_along_half_of_the_arrows(played):
    along = [
        with_theme for e in played for with_theme in arrows_with_theme(e, named(e, "permuted"))
    ]
    assert abs(np.mean(along) - 0.5) < 4 * 0.5 / np.sqrt(len(along))


def agreements(played, kind):
    """For every ancestor of a goal: whether more of it, as named, does what its name says."""
    found = []
    for episode in played:
        names = named(episode, kind)
        _, total, goal = system_of(episode)
        assert names.signs[goal] == 1
        assert poles(names)[goal] == 1
        says = poles(names)
        does = np.sign(np.array(names.signs) * total[:, goal])
        found += [bool(says[i] == does[i]) for i in np.flatnonzero(total[:, goal])]
    return found


def test_what_familiar_names_say_about_the_sign_of_effects_on_the_goal_is_true(played):
    assert all(agreements(played, "familiar"))


def test_what_contrary_names_say_about_the_sign_of_effects_on_the_goal_is_false(played):
    assert not any(agreements(played, "contrary"))


def test_what_permuted_names_say_about_the_sign_is_true_half_of_the_time(played):
    agree = agreements(played, "permuted")
    assert abs(np.mean(agree) - 0.5) < 4 * 0.5 / np.sqrt(len(agree))


@pytest.mark.parametrize("kind", KINDS)
def test_setting_everything_high_without_reading_names_is_worth_nothing(played, kind):
    raised = []
    for episode in played:
        names = named(episode, kind)
        _, total, goal = system_of(episode)
        effect = np.array(names.signs) * total[:, goal]
        raised += [e > 0 for e in effect[effect != 0]]
    assert abs(np.mean(raised) - 0.5) < 4 * 0.5 / np.sqrt(len(raised))


def test_the_three_kinds_share_theme_variables_and_listing_of_an_episode(played):
    for episode in played[:50]:
        kinds = [named(episode, kind) for kind in KINDS]
        assert len({PLACE[w][0] for names in kinds for w in names.words}) == 1
        assert len({frozenset(places(names)) for names in kinds}) == 1
        assert len({names.order for names in kinds}) == 1
        assert all(len(set(names.words)) == len(names.words) for names in kinds)


def test_episodes_differ_in_theme_and_the_same_episode_is_always_named_alike(world, played):
    assert len({PLACE[named(e, "familiar").words[0]][0] for e in played}) == len(THEMES)
    again = Live(world, 7, "perform", 3)
    again.act(0, 2.0)
    assert named(again, "contrary") == named(played[3], "contrary")


def test_the_listing_order_tells_nothing_of_causes(played):
    first = []
    for episode in played:
        order = list(named(episode, "familiar").order)
        causes, effects = np.nonzero(system_of(episode)[0])
        first += [order.index(c) < order.index(e) for c, e in zip(causes, effects, strict=True)]
    assert abs(np.mean(first) - 0.5) < 4 * 0.5 / np.sqrt(len(first))


def test_hidden_and_irrelevant_variables_and_later_goals_are_named_by_the_same_rules(rich_world):
    values = rich_world.spec.do_values
    for index in range(40):
        episode = Live(rich_world, 7, "perform", index)
        assert episode.task.system.weights.shape == (10, 10)
        expected = np.asarray(episode.task.expected)
        goals = np.asarray(episode.task.goal)
        for kind, truth in (("familiar", 1), ("contrary", -1)):
            names = named(episode, kind)
            along = arrows_with_theme(episode, names)
            assert all(along) if kind == "familiar" else not any(along)
            assert all(names.signs[g] == 1 for g in goals)
            assert poles(names)[goals[0]] == 1
            # tanh is odd and noise symmetric, so more of one value is less of the other.
            rise = (
                expected[:, values.index(2.0), goals[0]] - expected[:, values.index(-2.0), goals[0]]
            )
            for i in np.flatnonzero(np.abs(rise) > 1e-3):
                if i != goals[0]:
                    assert poles(names)[i] * names.signs[i] * np.sign(rise[i]) == truth


def scene_with_negation(world, kind):
    for index in range(50):
        scene = DagScene(world, 7, "perform", index, Conditions(names=kind))
        if -1 in scene.names.signs:
            return index, scene
    raise AssertionError("no variable is ever negated")


@pytest.mark.parametrize("kind", KINDS)
def test_negated_variables_are_said_and_set_with_the_opposite_sign(world, kind):
    index, scene = scene_with_negation(world, kind)
    variable = scene.names.signs.index(-1)
    plain = DagScene(world, 7, "perform", index, Conditions(names="letters"))
    assert scene.reply(f"do {scene.names.words[variable]}=2.0") is None
    assert plain.reply(f"do {plain.names.words[variable]}=-2.0") is None
    done, plainly = ([float(o.value) for o in s.episode.seen[1:]] for s in (scene, plain))
    assert done == plainly == [-2.0]

    def said(of):
        line = without_directions(of.messages()[-1]["content"]).splitlines()[0]
        pairs = dict(pair.split("=") for pair in line.split())
        return np.array([float(pairs[word]) for word in of.names.words])

    np.testing.assert_allclose(said(scene), np.array(scene.names.signs) * said(plain))


def test_every_action_can_be_written_and_read_again_under_every_name(world):
    for kind in KINDS:
        for index in range(20):
            scene = DagScene(world, 7, "perform", index, Conditions(names=kind))
            for word in scene.names.words:
                for value in ("2.0", "-2.0"):
                    line = f"do {word}={value}"
                    assert scene.write(scene.read(line)) == line


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_cannot_be_negated_and_too_many_variables_are_refused_with_a_remedy(kind):
    def refused(**settings):  # before anything of an episode is looked at
        return SimpleNamespace(world=DagWorld(DagConfig(**settings)))

    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match=r"do_values.*symmetric about 0.*names=nonsense"):
        familiar(refused(do_values=(0.0, 2.0)), kind, rng)
    with pytest.raises(UserError, match=r"n: got 12.*at most 11.*names=nonsense"):
        familiar(refused(n=12), kind, rng)


# -- recitation -----------------------------------------------------------------------------------


class Parrot:
    """Never experiments; knows the themes by heart and believes them."""

    name = "parrot"

    def replies(self, conversations):
        return [self.reply(messages) for messages in conversations]

    def reply(self, messages):
        said = "\n".join(m["content"] for m in messages[1:])
        goal = re.findall(r"Goal: (\S+)", said)
        if not goal:
            return "observe"
        words = re.search(r"Variables: (.+)", said)[1].split()
        others = [w for w in words if w != goal[-1]]
        if goal[-1] not in PLACE:
            return f"do {others[0]}=2.0"
        before = [w for w in others if PLACE[w][1] < PLACE[goal[-1]][1]]
        choice = max(before or others, key=lambda w: PLACE[w][1])
        return f"do {choice}={2 * PLACE[choice][2]:.1f}"


class Discoverer:
    """Sets every variable once, then the one with the largest effect seen; reads no names."""

    name = "discoverer"

    def __init__(self, world):
        self.player = find_player("scripted:largest-effect", world)

    def play(self, scene):
        choose = scene.actor(self.player)
        while not scene.finished:
            scene.reply(scene.write(choose()))


EPISODES = 40


@pytest.fixture(scope="module")
def stages(world):
    return {5: world, 0: DagWorld(DagConfig(experiments=0))}


def recorded(folder, stages, player, kinds=("familiar", "nonsense", "contrary"), seed=3):
    """Runs of a player as `seedo perform` writes them."""
    folders = []
    for experiments, stage in stages.items():
        for kind in kinds:
            conditions = Conditions(names=kind)
            scenes = [DagScene(stage, seed, "perform", i, conditions) for i in range(EPISODES)]
            if player == "parrot":
                converse(scenes, Parrot())
            else:
                discoverer = Discoverer(stage)
                for scene in scenes:
                    discoverer.play(scene)
            assert not any(scene.malformed for scene in scenes)
            batch = live_batch(origin(stage, player, seed), [s.episode for s in scenes])
            job = {"conditions": conditions.to_dict(), "stream": "perform", "examples": None}
            folders.append(folder / f"{kind}-{experiments}")
            write_batch(folders[-1], batch, job)
    return folders


@pytest.fixture(scope="module")
def parrot_runs(tmp_path_factory, stages):
    return recorded(tmp_path_factory.mktemp("parrot"), stages, "parrot")


@pytest.mark.slow
def test_a_parrot_is_told_by_what_it_earns_without_experiments(parrot_runs):
    found = recitation(parrot_runs)
    assert (found.player, found.experiments) == ("parrot", 5)
    assert found.recited.low > 0
    assert found.recited.n == EPISODES
    assert found.discovered.low <= 0 <= found.discovered.high
    assert found.share.value == pytest.approx(1)
    assert found.resistance.high < 0


@pytest.mark.slow
def test_a_discoverer_is_told_by_what_it_earns_with_experiments_under_any_names(tmp_path, stages):
    found = recitation(recorded(tmp_path, stages, "discoverer"))
    assert found.recited.low <= 0 <= found.recited.high
    assert found.discovered.low > 0
    assert found.share.value == pytest.approx(0)
    assert found.resistance.value == pytest.approx(0, abs=1e-6)
    assert found.means[Arm("familiar", 5)].value > 0.4 * found.oracle.value


def test_a_recitation_reports_every_arm_as_json_and_as_rows(parrot_runs):
    found = recitation(parrot_runs)
    fields = found.to_json()
    assert [(m["names"], m["experiments"]) for m in fields["means"]] == [
        (kind, e) for kind in ("nonsense", "familiar", "contrary") for e in (0, 5)
    ]
    assert fields["share"]["value"] == found.share.value
    rows = found.rows()
    assert rows[0][0] == "nonsense names, 0 experiments"
    assert {"recited", "discovered", "resistance", "share"} <= {row[0] for row in rows}
    assert "80 %" in found.power.line


def test_the_share_recited_is_that_planted_in_the_returns():
    rng = np.random.default_rng(0)
    n = 400
    base, names, both = rng.normal(0, 0.2, n), rng.normal(0.6, 1, n), rng.normal(1.4, 1, n)

    def episodes(values):
        return {(0, i): float(v) for i, v in enumerate(values)}

    found = recitation_of(
        "planted",
        {
            Arm("nonsense", 0): episodes(base),
            Arm("familiar", 0): episodes(base + names),
            Arm("nonsense", 5): episodes(base + both - names),
            Arm("familiar", 5): episodes(base + both),
        },
        oracle=episodes(np.full(n, 3.0)),
        random=episodes(np.zeros(n)),
    )
    assert found.share.low < 0.6 / 1.4 < found.share.high
    assert found.recited.low < 0.6 < found.recited.high
    assert found.discovered.low < 0.8 < found.discovered.high
    assert found.resistance.value is None
    assert "contrary" in found.resistance.reason


def test_runs_that_are_not_paired_are_refused(parrot_runs, tmp_path, stages):
    with pytest.raises(UserError, match=r"names=nonsense, experiments=0 is missing"):
        recitation([r for r in parrot_runs if r.name != "nonsense-0"])
    with pytest.raises(UserError, match="runs without and runs with"):
        recitation([r for r in parrot_runs if r.name.endswith("-0")])
    with pytest.raises(UserError, match="at least four"):
        recitation([])

    short = {0: stages[0]}
    other_seed = recorded(tmp_path / "seed", short, "parrot", ("familiar",), seed=4)
    others = [r for r in parrot_runs if r.name != "familiar-0"]
    with pytest.raises(UserError, match=r"not paired: seed \d, episode"):
        recitation([*others, *other_seed])

    def rewritten(name, **changed):
        scenes = [DagScene(stages[0], 3, "perform", i) for i in range(2)]
        converse(scenes, Parrot())
        batch = live_batch(
            origin(stages[0], changed.pop("player", "parrot"), 3), [s.episode for s in scenes]
        )
        told = Conditions(names="familiar", reasoning=changed.pop("reasoning", False)).to_dict()
        job = {"conditions": told, "stream": "perform"} | changed
        write_batch(tmp_path / name, batch, job)
        return tmp_path / name

    for name, changed, message in (
        ("player", {"player": "someone"}, "player: got 'someone'; not paired"),
        ("stream", {"stream": "validation"}, "stream: got 'validation'; not paired"),
        ("prompt", {"reasoning": True}, "prompt.*not paired"),
        ("structured", {"conditions": None}, "not a run of a text player"),
        ("fewer", {}, "2 episodes.*not paired"),
    ):
        with pytest.raises(UserError, match=message):
            recitation([*others, rewritten(name, **changed)])
