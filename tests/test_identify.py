from __future__ import annotations

import itertools
import logging
import sys

import networkx as nx
import numpy as np
import pytest

from seedo.errors import UserError
from seedo.inference import answer, infer
from seedo.inference.graphs._estimand import evaluate, regimes
from seedo.inference.graphs._identify import Identified, NotIdentified, Population, identify
from seedo.inference.graphs._known_graph import KnownGraph, parse_graph, read_graph
from seedo.inference.questions import prior_of_graph
from seedo.inference.questions._gcm import NonlinearModel
from seedo.tables import Table

FRONT_DOOR = "X -> M -> Y, X <-> Y"
BOW = "X -> Y, X <-> Y"
NAPKIN = "W -> R -> X -> Y, W <-> X, W <-> Y"


def _joint(graph, rng, tables=None, differs=(), do=None, values=3):
    """P(all variables | do) by brute force: hidden causes enumerated one value at a time.

    Three-valued variables and hidden causes, so that this is not the model `identify` tries
    formulas out on. Returns the array and the tables, to be shared between calls.
    """
    names, hidden = graph.variables, sorted(graph.bidirected)
    do = do or frozenset()
    old, tables = tables or {}, {}
    for name in names:
        parents = sorted(a for a, b in graph.directed if b == name)
        causes = [k for k, pair in enumerate(hidden) if name in pair]
        shape = (values,) * (len(parents) + len(causes))
        fresh = rng.dirichlet(np.ones(values), shape)
        table = fresh if name not in old or name in differs else old[name][2]
        tables[name] = (parents, causes, table)
    result = np.zeros((values,) * len(names))
    for u in itertools.product(range(values), repeat=len(hidden)):
        weight = np.prod([(0.2, 0.3, 0.5)[k] for k in u])
        for point in itertools.product(range(values), repeat=len(names)):
            at = dict(zip(names, point, strict=True))
            p = weight
            for name, (parents, causes, table) in tables.items():
                if name not in do:
                    p *= table[(*(at[q] for q in parents), *(u[k] for k in causes))][at[name]]
            result[point] += p
    return result, tables


def _effect(graph, joint, treatment, outcome, given=()):
    axes = {name: i for i, name in enumerate(graph.variables)}
    drop = tuple(i for n, i in axes.items() if n not in (treatment, outcome, *given))
    kept = joint.sum(axis=drop, keepdims=True)
    return kept / kept.sum(axis=axes[outcome], keepdims=True)


def _assert_true_formula(graph, answer, given=(), experiments=(), populations=(), seed=0):
    """The formula, given the distributions it asks for, yields the true effect of X on Y."""
    rng = np.random.default_rng(seed)
    observed, tables = _joint(graph, rng)
    given_tables = {("", frozenset()): observed}
    for experiment in {do for place, do in regimes(answer.estimand) if do and not place}:
        # Part of an experiment: the rest of it has no effect on the outcome.
        assert any(experiment <= whole for whole in experiments)
        given_tables["", experiment] = _joint(graph, rng, tables, do=experiment)[0]
    for population in populations:
        there = _joint(graph, rng, tables, population.differs)[1]
        for experiment in population.experiments:
            table = _joint(graph, rng, there, do=experiment)[0]
            given_tables[population.name, experiment] = table
    value = evaluate(answer.estimand, graph.variables, given_tables)
    intervened = _joint(graph, rng, tables, do=frozenset({"X"}))[0]
    truth = _effect(graph, intervened, "X", "Y", given)
    assert np.allclose(value, truth, rtol=1e-8)


@pytest.mark.parametrize(
    "text",
    ["Z -> X -> Y, Z -> Y", FRONT_DOOR, NAPKIN, "X -> Y, Z -> X, Z <-> Y", "Y -> X"],
    ids=["back-door", "front-door", "napkin", "confounded back-door", "no effect"],
)
def test_the_formula_of_an_identified_effect_yields_the_true_effect(text):
    graph = parse_graph(text)
    answer = identify(graph, "X", "Y")
    assert isinstance(answer, Identified)
    assert answer.checked
    assert [str(d) for d in answer.data] == ["observations"]
    if text == "Y -> X":
        assert answer.text == "P(Y)"
    else:
        _assert_true_formula(graph, answer)


def test_formulas_are_written_as_in_the_textbook():
    assert identify(parse_graph(FRONT_DOOR), "X", "Y").text == (
        "Σ_M P(M | X) Σ_X′ P(X′) P(Y | X′, M)"
    )
    assert identify(parse_graph("Z -> X -> Y, Z -> Y"), "X", "Y").latex == (
        r"\sum_{Z} P(Y \mid Z, X) P(Z)"
    )


@pytest.mark.parametrize("text", [BOW, "X -> M -> Y, X <-> M, M <-> Y", "X -> Z -> Y, X <-> Z"])
def test_an_effect_that_observations_leave_open_is_refused_with_its_hedge(text):
    graph = parse_graph(text)
    answer = identify(graph, "X", "Y")
    assert isinstance(answer, NotIdentified)
    whole, rest = answer.hedge
    # Shpitser & Pearl 2006, definition 6: both are c-components, only the larger holds treatments.
    assert "X" in whole - rest
    for part in (whole, rest):
        hidden = nx.Graph()
        hidden.add_nodes_from(part)
        hidden.add_edges_from(pair for pair in graph.bidirected if part.issuperset(pair))
        assert nx.is_connected(hidden)
    assert "c-component" in answer.reason


def test_a_condition_on_an_effect_of_the_treatment_is_taken_into_account():
    graph = parse_graph("X -> Z, X -> Y, Z <-> Y")
    answer = identify(graph, "X", "Y", conditions=["Z"])
    assert answer.query == "P(Y | Z, do(X))"
    _assert_true_formula(graph, answer, given=["Z"])


@pytest.mark.parametrize(
    ("text", "experiment"),
    [(BOW, {"X"}), ("Z -> X -> Y, Z <-> X, Z <-> Y", {"Z"})],
    ids=["the experiment itself", "a surrogate"],
)
def test_an_experiment_identifies_what_observations_do_not(text, experiment):
    graph, experiment = parse_graph(text), frozenset(experiment)
    assert isinstance(identify(graph, "X", "Y"), NotIdentified)
    answer = identify(graph, "X", "Y", experiments=[experiment])
    assert [d.experiment for d in answer.data] == [experiment]
    _assert_true_formula(graph, answer, experiments=[experiment])


def test_an_experiment_that_does_not_help_is_named_in_the_refusal():
    answer = identify(parse_graph("Z -> X -> Y, X <-> Y"), "X", "Y", experiments=[["Z"]])
    assert isinstance(answer, NotIdentified)
    assert "do(Z)" in answer.reason


def test_an_experiment_elsewhere_is_carried_over_where_only_covariates_differ():
    graph = parse_graph("Z -> X -> Y, Z -> Y, X <-> Y")
    there = Population("Leipzig", (frozenset({"X"}),), differs=frozenset({"Z"}))
    answer = identify(graph, "X", "Y", populations=[there])
    assert answer.text == "Σ_Z P(Z) P[Leipzig](Y | Z, do(X))"
    assert [str(d) for d in answer.data] == ["observations", "do(X) in Leipzig"]
    _assert_true_formula(graph, answer, populations=[there])


def test_an_experiment_elsewhere_is_not_carried_over_where_the_outcome_comes_about_differently():
    graph = parse_graph(BOW)
    there = Population("Leipzig", (frozenset({"X"}),), differs=frozenset({"Y"}))
    assert isinstance(identify(graph, "X", "Y", populations=[there]), NotIdentified)


def test_formulas_hold_on_random_graphs_with_hidden_causes_and_experiments():
    rng = np.random.default_rng(11)
    names, found = ("A", "X", "B", "Y"), 0
    for trial in range(40):
        order = rng.permutation(4)
        pairs = list(itertools.combinations(order, 2))
        directed = frozenset((names[a], names[b]) for a, b in pairs if rng.random() < 0.6)
        hidden = [sorted(p) for p in pairs if rng.random() < 0.4][:2]
        graph = KnownGraph(names, directed, frozenset((names[a], names[b]) for a, b in hidden))
        experiments = [frozenset({"A"}), frozenset({"B", "X"})]
        answer = identify(graph, "X", "Y", experiments=experiments)
        if isinstance(answer, Identified) and ("X", "Y") in directed:
            found += 1
            _assert_true_formula(graph, answer, experiments=experiments, seed=trial)
    assert found > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", "Y"), "treatment: got 'x'"),
        (("X", "X"), "query: got 'X'"),
        (((), "Y"), "treatment: name at least one"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        identify(parse_graph(BOW), *arguments)


def test_without_y0_the_command_that_installs_it_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "y0.dsl", None)
    with pytest.raises(UserError, match=r"pip install 'seedo\[causal\]'"):
        identify(parse_graph(BOW), "X", "Y")


def test_a_graph_file_is_read_with_chains_comments_and_hidden_causes(tmp_path):
    path = tmp_path / "graph.txt"
    path.write_text("# made up\nA -> B -> C  # a chain\nC <- D\nE\nC <-> A\n")
    graph = read_graph(path)
    assert graph.variables == ("A", "B", "C", "D", "E")
    assert graph.directed == {("A", "B"), ("B", "C"), ("D", "C")}
    assert graph.bidirected == {("A", "C")}
    assert graph.adjacency.sum() == 3
    assert graph.adjacency[3, 2]


def test_a_graph_file_may_be_a_table_of_edges_whose_names_hold_commas():
    graph = parse_graph('source,target\n"dose, mg",B\nB,C\n')
    assert graph.directed == {("dose, mg", "B"), ("B", "C")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A -> B\nB -> A", r"line 2: got 'B -> A'; closes the cycle"),
        ("A -> B\n\nC -> C", r"line 3: got 'C -> C'; a variable cannot"),
        ("A -> ", r"line 1: got 'A ->'; write 'A -> B'"),
        ("A -> Outcom", r"line 1: .*no variable 'Outcom'; did you mean 'Outcome'"),
        ("source,target\nA,B,Outcome", r"line 2: got 'A,B,Outcome'; write two names"),
        ("# nothing", r"holds no graph"),
    ],
)
def test_a_bad_graph_file_is_refused_with_line_and_text(text, message):
    with pytest.raises(UserError, match=message):
        parse_graph(text, ["A", "B", "C", "Outcome"])


def test_a_graph_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        read_graph(tmp_path / "none.txt")


def linear_gaussian(rows, seed):
    """A known graph, data from it, and the true total effect of X on Y.

    Returns:
        graph; Table of `rows` observations; the sum over directed paths of the products of weights.
    """
    graph = parse_graph("Z -> X, Z -> Y, X -> M, M -> Y, X -> Y, W -> Y")
    rng = np.random.default_rng(seed)
    n = len(graph.variables)
    weights = np.where(graph.adjacency, rng.normal(size=(n, n)), 0.0)
    total = np.linalg.inv(np.eye(n) - weights)
    table = Table.from_rows(graph.variables, rng.normal(size=(rows, n)) @ total)
    x, y = table.index("X"), table.index("Y")
    return graph, table, total[x, y]


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")
def test_effects_agree_with_dowhy_on_the_same_graph():
    pandas, dowhy = pytest.importorskip("pandas"), pytest.importorskip("dowhy")
    graph, table, truth = linear_gaussian(2_000, seed=4)
    frame = pandas.DataFrame(table.values, columns=list(table.variables))
    logging.getLogger("dowhy").setLevel(logging.ERROR)
    model = dowhy.CausalModel(frame, "X", "Y", graph=graph.to_networkx())
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    theirs = model.estimate_effect(
        estimand, method_name="backdoor.linear_regression", effect_modifiers=[]
    ).value
    adjusted = [table.index(name) for name in ("X", *estimand.get_backdoor_variables())]
    design = np.c_[table.values[:, adjusted], np.ones(table.rows)]
    ours = np.linalg.lstsq(design, table.values[:, table.index("Y")], rcond=None)[0][0]
    assert theirs == pytest.approx(ours, rel=1e-9)
    assert theirs == pytest.approx(truth, abs=0.15)


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated")
@pytest.mark.parametrize(("outcome", "tolerance"), [("M", 0.003), ("Y", 0.03)])
def test_the_posterior_effect_in_a_known_graph_is_dowhys_up_to_the_prior(outcome, tolerance):
    """M has one cause, so that both regress M on X; on Y ours goes through M and W, with less
    noise, where theirs adjusts for Z alone."""
    pandas, dowhy = pytest.importorskip("pandas"), pytest.importorskip("dowhy")
    graph, table, _ = linear_gaussian(2_000, seed=4)
    frame = pandas.DataFrame(table.values, columns=list(table.variables))
    logging.getLogger("dowhy").setLevel(logging.ERROR)
    model = dowhy.CausalModel(frame, "X", outcome, graph=graph.to_networkx())
    estimand = model.identify_effect(proceed_when_unidentifiable=True)
    theirs = model.estimate_effect(
        estimand, method_name="backdoor.linear_regression", effect_modifiers=[]
    ).value
    posterior = infer(table, prior=prior_of_graph(graph, table.variables), draws=4_000)
    found = answer(f"effect of X on {outcome}", posterior)
    assert found.value == pytest.approx(theirs, abs=tolerance)
    assert found.low < theirs < found.high


def _parabola(rows, rng, x=None):
    z = rng.normal(size=rows)
    x = z + 0.5 * rng.normal(size=rows) if x is None else np.full(rows, x)
    noise = 0.3 * rng.normal(size=rows)
    return np.c_[z, x, x**2 - z + noise], noise


@pytest.fixture(scope="module")
def parabola():
    rng = np.random.default_rng(2)
    (observed, noise), (done, more) = _parabola(300, rng), _parabola(60, rng, x=1.5)
    table = Table.from_rows(
        ("Z", "X", "Y"), np.r_[observed, done], np.repeat([-1, 1], [300, 60]), "a parabola"
    )
    return table, np.r_[noise, more]


@pytest.fixture(scope="module")
def nonlinear(parabola):
    graph = parse_graph("Z -> X, Z -> Y, X -> Y")
    return NonlinearModel(graph, parabola[0], seed=3, bootstrap=8)


def test_a_nonlinear_interventional_mean_is_found_where_a_line_would_miss_it(nonlinear):
    answer = nonlinear.interventional({"X": 1.0}, "Y")
    assert answer.mean == pytest.approx(1.0, abs=0.15)
    assert answer.low < answer.high
    assert answer.samples.std() == pytest.approx(np.sqrt(1.09), abs=0.1)


def test_a_counterfactual_keeps_the_noise_of_its_row_and_what_an_experiment_had_set(
    nonlinear, parabola
):
    table, noise = parabola
    rows = np.r_[0:4, 300:304]
    answer = nonlinear.counterfactual(table.take(rows), {"X": -1.0})
    z, y = table.values[rows, 0], answer.values[:, 2]
    np.testing.assert_allclose(y, 1.0 - z + noise[rows], atol=0.2)
    # Had Z been 0, X would have moved with it in observed rows only.
    x = nonlinear.counterfactual(table.take(rows), {"Z": 0.0}).values[:, 1]
    np.testing.assert_allclose(x[4:], 1.5)
    np.testing.assert_allclose(x[:4], table.values[:4, 1] - table.values[:4, 0], atol=0.15)


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_global_generator_alone(
    nonlinear, parabola
):
    before = np.random.get_state()[1].tobytes()
    again = NonlinearModel(nonlinear.graph, parabola[0], seed=3, bootstrap=8)
    one, two = (m.interventional({"X": 1.0}, "Y", draws=100) for m in (nonlinear, again))
    assert one.samples.tobytes() == two.samples.tobytes()
    assert (one.low, one.high) == (two.low, two.high)
    assert np.random.get_state()[1].tobytes() == before


def test_a_nonlinear_model_refuses_hidden_common_causes_and_too_few_rows(parabola):
    with pytest.raises(UserError, match="hidden common causes"):
        NonlinearModel(parse_graph("X -> Y, X <-> Y"), parabola[0])
    with pytest.raises(UserError, match="rows: got 5"):
        NonlinearModel(parse_graph("X -> Y"), parabola[0].take(np.arange(5)))


def test_a_variable_that_was_always_set_must_be_set_again(parabola):
    model = NonlinearModel(parse_graph("X -> Y"), parabola[0].take(np.arange(300, 360)),
                           bootstrap=2)  # fmt: skip
    assert model.interventional({"X": 1.5}, "Y").mean == pytest.approx(2.25, abs=0.5)
    with pytest.raises(UserError, match="was set in every row"):
        model.interventional({}, "Y")
