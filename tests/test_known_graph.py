"""A known graph in a campaign: what is read and refused, what it says of readings (against exact
covariances of linear plants), what is left alone, and what happens where it is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from seedo import evaluation, reports, worlds
from seedo.errors import UserError
from seedo.experimenters import find_player
from seedo.experimenters.proposers import Chain, against, heeded, linked, steps
from seedo.play import campaign as play
from seedo.spaces import CausalGraph, Goal, Goals, Knob, Runs, Space
from seedo.worlds import Spec

KNOBS = ("heat", "feed", "idle")
FIELDS = {
    "name": "trial",
    "player": "bayes:mechanisms",
    "budget": 9,
    "knobs": {name: {"low": 0, "high": 10} for name in KNOBS},
    "readings": {"flow": {}},
    "goals": {"y": {}},
    "graph": ["heat -> flow", "feed -> flow", "flow -> y"],
}


def plan(**changes):
    return play.plan_of(FIELDS | changes)


def rig(setting):
    flow = 2 * setting["heat"] - setting["feed"]
    return {"flow": flow, "y": -((flow - 8) ** 2)}


# -- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (["heat -> flow", "flow -> z"], "graph, line 2: got 'flow -> z'; no variable 'z'"),
        (["heat -> flow -> y -> flow"], "closes the cycle"),
        (["heat -> flow", "y"], "graph: got 'y'; nothing that can be set moves y"),
        (["flow -> heat", "flow -> y"], "nothing that can be set moves y"),
        (["heat -> heat"], "a variable cannot be its own cause"),
        ([], "graph: got []; it is empty"),
        (3, "graph: got 3; give the name of a file, or a list of statements"),
        ([["heat", "y"]], "give the name of a file, or a list of statements"),
        ("heat -> y", "graph: got 'heat -> y'; give the name of a file, or a list"),
        ("none.dot", "there is no such file"),
    ],
)
def test_a_graph_that_cannot_be_used_is_one_line(graph, said):
    with pytest.raises(UserError) as error:
        plan(graph=graph)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arrows", "said"),
    [
        ((("heat", "y"), ("y", "flow"), ("flow", "y")), "flow -> y -> flow"),
        ((("heat", "y"), ("heta", "flow")), "got 'heta'; neither knob nor reading: did you mean"),
        ((("heat", "y"), ("y", "y")), "nothing can be its own cause"),
        ((("heat", "flow", "y"),), "give pairs of names"),
    ],
)
def test_a_graph_from_python_is_checked_too(arrows, said):
    with pytest.raises(UserError) as error:
        replace(plan(), graph=CausalGraph(arrows))
    assert said in str(error.value)


def test_every_format_says_the_same_and_stands_in_the_journal(tmp_path):
    texts = {
        "g.dot": "digraph { heat -> flow; feed -> flow; flow -> y }",
        "g.gml": 'graph [ directed 1 node [ id 0 label "heat" ] node [ id 1 label "feed" ] '
        'node [ id 2 label "flow" ] node [ id 3 label "y" ] edge [ source 0 target 2 ] '
        "edge [ source 1 target 2 ] edge [ source 2 target 3 ] ]",
        "g.csv": "cause,effect\nheat,flow\nfeed,flow\nflow,y\n",
    }
    toml = 'budget = 2\nplayer = "sobol"\ngraph = "{}"\n[readings.flow]\n[goals.y]\n' + "".join(
        f"[knobs.{name}]\nlow = 0\nhigh = 10\n" for name in KNOBS
    )
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / "c.toml").write_text(toml.format(name))
        read = play.read_plan(tmp_path / "c.toml")
        assert read.graph == plan().graph
        with play.Campaign(read, tmp_path / f"of {name}"):
            pass
        first = json.loads((tmp_path / f"of {name}" / "journal.jsonl").read_text().split("\n")[0])
        assert set(first["plan"]["graph"]) == set(FIELDS["graph"])
        assert play.plan_of(FIELDS | {"graph": first["plan"]["graph"]}).graph == read.graph


def test_what_was_not_measured_is_a_hidden_cause_and_names_of_any_kind_are_kept():
    knobs = {"heat (°C)": {"low": 0, "high": 1}, "a -> b": {"low": 0, "high": 1}}
    stated = ['"heat (°C)" -> y', '"a -> b" -> y', "weather -> flow", "weather -> y"]
    read = plan(knobs=knobs, graph=stated)
    assert read.graph.hidden == (("flow", "y"),)
    assert "weather" in read.graph.notes[0]
    assert plan(knobs=knobs, graph=read.to_json()["graph"]).graph == read.graph


def test_another_graph_and_none_are_changes_that_are_said(tmp_path):
    plain = {name: value for name, value in FIELDS.items() if name != "graph"}
    assert "graph" not in play.plan_of(plain).to_json()
    said = []
    for each in (plan(), plan(graph=["heat -> y"]), play.plan_of(plain)):
        play.Campaign(each, tmp_path, say=said.append).close()
    assert said == ["changed since the last time: graph"] * 2


# -- what it says of readings: exact covariances of linear plants ---------------------------------


def drawn(rng, knobs, readings):
    """A random graph with hidden causes, knobs among what is moved, and its linear plant."""
    names = (*knobs, *readings)
    order = [str(name) for name in rng.permutation(names)]
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    arrows = tuple(pair for pair in pairs if rng.random() < 0.4)
    hidden = tuple(pair for pair in pairs if rng.random() < 0.15)
    weights = {pair: rng.uniform(0.4, 1.5) * rng.choice([-1, 1]) for pair in (*arrows, *hidden)}
    return CausalGraph(arrows, hidden), weights


def covariance(graph, weights, names, knobs=()):
    """Of all variables, exactly; with `knobs` set, each by itself and with variance 1."""
    at = {name: i for i, name in enumerate(names)}
    moved, noise = np.zeros((len(names), len(names))), np.eye(len(names))
    for a, b in graph.arrows:
        moved[at[b], at[a]] = 0.0 if b in knobs else weights[a, b]
    for a, b in graph.hidden:
        u = np.zeros(len(names))
        u[at[a]] = 0.0 if a in knobs else 1.0
        u[at[b]] = 0.0 if b in knobs else weights.get((a, b)) or weights[b, a]
        noise += np.outer(u, u)
    through = np.linalg.inv(np.eye(len(names)) - moved)
    return through @ noise @ through.T


def regression(cov, y, x):
    return np.linalg.solve(cov[np.ix_(x, x)], cov[x, y])


def test_steps_are_those_of_exact_covariances():
    rng, knobs, readings = np.random.default_rng(0), ("a", "b", "c"), ("p", "q", "r", "y")
    names, told, kept = (*knobs, *readings), 0, [0, 0]
    at = {name: i for i, name in enumerate(names)}
    for _ in range(60):
        graph, weights = drawn(rng, knobs, readings)
        if not graph.acting(knobs, ["y"]):
            continue
        runs, watched = covariance(graph, weights, names, knobs), covariance(graph, weights, names)
        for step in steps(graph, knobs, readings, ("y",)):
            given = [at[name] for name in (*step.knobs, *step.readings)]
            y = at[step.reading]
            slopes = regression(runs, y, given)
            for cov, idle in ((runs, step.idle), (watched, step.idle_watched)):
                for name in idle:
                    both = regression(cov, y, [*given, at[name]])
                    assert abs(both[-1]) < 1e-9
                    told += 1
            same = np.allclose(slopes, regression(watched, y, given), atol=1e-9)
            same &= np.isclose(*(cov[y, y] - cov[y, given] @ regression(cov, y, given)
                                 for cov in (runs, watched)))  # fmt: skip
            assert same == step.everywhere
            kept[int(same)] += 1
    assert told > 100
    assert min(kept) > 10


def plant(graph, weights, knobs, readings, rng, runs, watched=0, wide=10):
    """Rows of a linear plant: runs with knobs set between 0 and `wide`, then observed ones."""
    names = (*knobs, *readings)
    at = {name: i for i, name in enumerate(names)}
    rows = []
    for seen in [False] * runs + [True] * watched:
        noise = rng.normal(size=len(names))
        for a, b in graph.hidden:
            u = rng.normal()
            noise[at[a]] += u
            noise[at[b]] += weights[a, b] * u
        value = np.zeros(len(names))
        for name in graph.order(names):
            if name in knobs and not seen:
                value[at[name]] = wide * rng.random()
            else:
                causes = [pair for pair in graph.arrows if pair[1] == name]
                moved = sum(weights[pair] * value[at[pair[0]]] for pair in causes)
                value[at[name]] = noise[at[name]] + moved
        rows.append(value)
    table, k = np.array(rows), len(knobs)
    known = Runs.none(k, readings).plus(table[:runs, :k], table[:runs, k:])
    return known.plus(table[runs:, :k], table[runs:, k:], True) if watched else known


SPACE = Space((Knob("a", high=10), Knob("b", high=10)))
GOALS = Goals((Goal("y"),))


def effects(graph, known):
    """What each knob does to the goal, by the mean of a chain's draws."""
    chain = Chain.fitted(SPACE, GOALS, graph, known, np.random.default_rng(0))
    assert chain is not None
    drawn = chain.draws(np.concatenate([np.zeros((1, 2)), 10 * np.eye(2)])).mean(axis=0)
    return (drawn[1:] - drawn[0]) / 10


def least_squares(y, *columns):
    """Slopes, float64[I]."""
    x = np.column_stack([*columns, np.ones(len(y))])
    return np.linalg.lstsq(x, y, rcond=None)[0][:-1]


def test_a_chain_multiplies_slopes_along_ways_and_ignores_all_but_parents():
    graph = CausalGraph((("a", "p"), ("b", "q"), ("p", "q"), ("q", "y")))
    weights = {("a", "p"): 2.0, ("b", "q"): -3.0, ("p", "q"): 1.5, ("q", "y"): 0.7}
    rng, readings = np.random.default_rng(1), ("p", "q", "y")
    known = plant(graph, weights, ("a", "b"), readings, rng, 60)
    assert effects(graph, known) == pytest.approx([2.1, -2.1], abs=0.2)
    (a, b), (p, q, y) = known.settings.T, known.readings.T
    (s,), (t, u), (v,) = least_squares(p, a), least_squares(q, b, p), least_squares(y, q)
    assert effects(graph, known) == pytest.approx([s * u * v, t * v], rel=0.05)
    shuffled = replace(known, settings=np.column_stack([a, rng.permutation(b)]))
    at = np.linspace(0, 1, 5)[:, None]
    for place, same in ((0, True), (1, False), (2, True)):  # p, q and y; b is a parent of q alone
        told = [linked(SPACE, GOALS, graph, each)[place].fitted.model for each in (known, shuffled)]
        inputs = np.tile(at, (1, 2 if place == 1 else 1))
        assert np.array_equal(told[0](inputs), told[1](inputs)) == same


def test_what_hides_behind_two_readings_does_not_bias_what_a_knob_does():
    """With a hidden cause of p and y, y on p alone would give the knob p's slope times 1 + 1 / 5
    (closed form, as p's variance by noise is 2 and by the knob 3); p's chain gives what y on the
    knob gives."""
    graph = CausalGraph((("a", "p"), ("p", "y")), (("p", "y"),))
    weights = {("a", "p"): 0.6, ("p", "y"): 1.0}
    known = plant(graph, weights, ("a", "b"), ("p", "y"), np.random.default_rng(2), 150)
    a, (p, y) = known.settings[:, 0], known.readings.T
    (truth,), (alone,) = least_squares(y, a), least_squares(p, a) * least_squares(y, p)
    assert effects(graph, known)[0] == pytest.approx(truth, rel=0.04)
    assert alone > 1.1 * truth
    assert steps(graph, SPACE.names, ("p", "y"), ("y",))[1].knobs == ("a",)


def test_observed_rows_are_not_believed_where_something_hidden_moves_knob_and_reading():
    """The hidden cause has the weight of its pair as well: a moves y by -2, and watched by -3."""
    graph = CausalGraph((("a", "y"), ("b", "y")), (("a", "y"),))
    weights = {("a", "y"): -2.0, ("b", "y"): 1.0}
    known = plant(graph, weights, ("a", "b"), ("y",), np.random.default_rng(3), 20, 400)
    seen = known.seen
    watched = least_squares(known.readings[seen, 0], *known.settings[seen].T)
    assert watched[0] == pytest.approx(-3, abs=0.2)
    assert effects(graph, known) == pytest.approx([-2, 1], abs=0.4)


# -- what is left alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("player", ["bayes:mechanisms", "response-surface"])
def test_a_knob_that_moves_no_goal_is_never_varied(tmp_path, player):
    (tmp_path / "e.csv").write_text(
        "heat,feed,idle,flow,y\n1,2,7,0,-64\n4,2,7,6,-4\n9,1,3,17,-81\n"
    )
    start = [{"file": str(tmp_path / "e.csv")}]
    given = plan(player=player, first=2, batch=2, start=start)
    with play.Campaign(given, tmp_path / "c") as campaign:
        play.run_campaign(campaign, rig)
        settings = np.array([run.setting for run in campaign.runs])
        told = campaign.chooser.told(campaign.known)
        kept = campaign.chooser.recommend(campaign.known, 9)
    assert set(settings[:, 2]) == {7.0}
    assert kept[2] == 7.0
    assert len(np.unique(settings[:, 0])) > 3
    assert told == ("by the graph idle moves no goal: it stays at 7.0",)


def test_a_knob_that_a_constraint_is_on_makes_room_and_is_said(tmp_path):
    given = plan(constraints=[{"sum": ["heat", "idle"], "at_most": 10}])
    with play.Campaign(given, tmp_path) as campaign:
        assert campaign.plan.space.allows(np.array(campaign.preview(3))).all()
        assert campaign.chooser.told(campaign.known) == (
            "by the graph idle moves no goal, but it is varied: a constraint is on it",
        )


def test_players_that_do_not_use_it_say_so_and_propose_as_without(tmp_path):
    plain = {name: value for name, value in FIELDS.items() if name != "graph"}
    proposed = []
    for place, each in enumerate((plan(player="sobol"), play.plan_of(plain | {"player": "sobol"}))):
        with play.Campaign(each, tmp_path / str(place)) as campaign:
            proposed.append(np.array(campaign.preview(3)))
            told = campaign.chooser.told(campaign.known)
            assert bool(told) == (place == 0)
            assert place or "player sobol does not use the graph" in told[-1]
    assert np.array_equal(*proposed)


def test_arrows_into_knobs_concern_observed_rows_and_that_is_said(tmp_path):
    graph = ["flow -> heat", "feed -> flow", "flow -> y", "heat -> y"]
    with play.Campaign(plan(graph=graph), tmp_path / "a") as campaign:
        told = campaign.chooser.told(campaign.known)
    assert told[0].startswith("flow -> heat concerns only rows in which nobody set the knobs: none")
    (tmp_path / "e.csv").write_text("heat,feed,idle,flow,y\n1,2,7,0,-64\n4,2,7,6,-4\n")
    start = [{"file": str(tmp_path / "e.csv"), "observed": True}]
    with play.Campaign(plan(graph=graph, start=start), tmp_path / "b") as campaign:
        assert campaign.chooser.told(campaign.known)[0].endswith("2 of them are given")


def test_cut_off_anywhere_it_proposes_the_same(tmp_path):
    with play.Campaign(plan(), tmp_path / "whole") as campaign:
        play.run_campaign(campaign, rig)
        whole = [run.setting for run in campaign.runs]
    for _ in range(9):
        with play.Campaign(plan(), tmp_path / "cut") as campaign:
            for each in campaign.ask():
                campaign.tell(each.run, rig(each.setting))
            parts = [run.setting for run in campaign.runs]
    assert np.array_equal(whole, parts)


# -- where it is wrong ----------------------------------------------------------------------------


def test_a_missing_arrow_is_denied_and_the_player_goes_on_without_the_graph():
    true = CausalGraph((("a", "p"), ("p", "y"), ("b", "p"), ("b", "y")))
    weights = {("a", "p"): 0.3, ("p", "y"): 2.0, ("b", "p"): 0.1, ("b", "y"): -1.2}
    known = plant(true, weights, SPACE.names, ("p", "y"), np.random.default_rng(4), 20)
    wrong = CausalGraph(tuple(pair for pair in true.arrows if pair != ("b", "y")))
    plain = Spec((*SPACE.names, "p", "y"), (), (1,) * 40, space=SPACE, goals=GOALS)
    misled, nothing = replace(plain, graph=wrong), np.empty((0, 2))
    told = against(misled, known)
    assert len(told) == 1
    assert told[0].startswith("b tells more of y than p, which by the graph it does not")
    assert against(replace(plain, graph=true), known) == ()
    assert heeded(misled, known, nothing).spec == plain
    player = find_player("bayes:mechanisms", worlds.make("plants"))
    both = [player.recommend(spec, known, np.random.default_rng(0)) for spec in (plain, misled)]
    assert np.array_equal(*both)
    assert both[1][1] == 0  # y falls by 1 for each unit of b, and rises by 0.6 for each of a


def test_a_graph_that_is_set_aside_is_said_once_and_reported(tmp_path):
    said = []
    with play.Campaign(plan(budget=14), tmp_path, say=said.append) as campaign:
        play.run_campaign(campaign, lambda s: {"flow": s["heat"], "y": s["heat"] - 3 * s["feed"]})
        settings = np.array([run.setting for run in campaign.runs])
        found = evaluation.found(campaign)
        assert campaign.best.setting[1] < 0.5
    assert [line.partition(":")[0] for line in said] == [
        "the rows speak against the graph, which is set aside"
    ]
    assert "feed tells more of y than flow, which by the graph it does not" in said[0]
    assert len(np.unique(settings[:, 2])) > 1  # nothing is known any more of the third knob either
    reports.write_campaign(found, dict.fromkeys((*KNOBS, "flow", "y"), ""), tmp_path / "r.html")
    for text in ((tmp_path / "r.html").read_text(), json.dumps(found.to_dict())):
        assert "feed tells more of y than flow" in text
    assert found.to_dict()["graph"] == ["feed -> flow", "flow -> y", "heat -> flow"]


@pytest.mark.parametrize("plants", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_true_graphs_are_seldom_denied(plants):
    """Linear plants, each held against its own graph after 12 and after 30 runs."""
    world = worlds.make("plants")
    denied = 0
    for number in range(plants):
        task = world.sample(np.random.default_rng([number, 9]))
        spec = replace(world.spec, graph=world.graph(task))
        rng, known = np.random.default_rng(number), Runs.none(5, world.readings)
        for setting in world.space.sample(30, rng):
            known = known.plus(setting, world.measured(task, setting, rng))
            denied += bool(len(known) in (12, 30) and against(spec, known))
    assert denied <= plants // 20
