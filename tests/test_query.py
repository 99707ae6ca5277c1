from __future__ import annotations

import math
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedo.errors import UserError
from seedo.inference.questions._query import (
    MAX_LENGTH,
    Ancestor,
    BestIntervention,
    BestSetting,
    Causes,
    CertainEdges,
    Conflicts,
    Correlation,
    Counterfactual,
    DoesCause,
    Edge,
    Effect,
    Effects,
    Event,
    Expectation,
    HiddenConfounders,
    NextExperiment,
    Parents,
    Probability,
    Query,
    Ranking,
    Setting,
    Targets,
    WhyRow,
)
from seedo.inference.questions._query_parser import parse
from seedo.inference.questions._query_words import QueryError

INF = math.inf
NAMES = ("X", "Y", "Z", "W", "room temperature", "Yield", "2", "on", "E")
Y_ABOVE_1 = Event("Y", 1, INF)
X_IS_2 = Setting("X", 2)
QUESTIONS = Path(__file__).parents[1] / "docs" / "questions.md"


@pytest.mark.parametrize(
    ("text", "meant", "rung"),
    [
        ("P(Y > 1)", Probability(Y_ABOVE_1), 1),
        ("p ( y>1 ) ?", Probability(Y_ABOVE_1), 1),
        ("P(1 < Y)", Probability(Y_ABOVE_1), 1),
        ("what is P(Y > 1)?", Probability(Y_ABOVE_1), 1),
        ("P(Y <= -.5)", Probability(Event("Y", -INF, -0.5, False, True)), 1),
        ("P(Y ≥ −1e−3)", Probability(Event("Y", -0.001, INF, True)), 1),
        ("P(Y == 1)", Probability(Event("Y", 1, 1, True, True)), 1),
        ("P(1 <= Y <= 1)", Probability(Event("Y", 1, 1, True, True)), 1),
        ("P(Y > 1 | X = 2)", Probability(Y_ABOVE_1, (Event("X", 2, 2, True, True),)), 1),
        (
            "P(0 < Y < 1 | X > 2, Z = 1)",
            Probability(Event("Y", 0, 1), (Event("X", 2, INF), Event("Z", 1, 1, True, True))),
            1,
        ),
        ("P(1 ≥ Y > 0)", Probability(Event("Y", 0, 1, False, True)), 1),
        ('P("room temperature" > 1)', Probability(Event("room temperature", 1, INF)), 1),
        ('P("2" > 1)', Probability(Event("2", 1, INF)), 1),
        ("E[Y]", Expectation("Y"), 1),
        ("E[e]", Expectation("E"), 1),
        ("E(Y | X=2)", Expectation("Y", (Event("X", 2, 2, True, True),)), 1),
        ("correlation of X and Y", Correlation("X", "Y"), 1),
        ("Correlation between X and Y?", Correlation("X", "Y"), 1),
        ("effect of X on Y", Effect("X", "Y"), 2),
        ("what is the effect of X on Y?", Effect("X", "Y"), 2),
        ("effect of on on 2", Effect("on", "2"), 2),
        ("effect of X on Y from 0 to +2", Effect("X", "Y", 0, 2), 2),
        ("P(Y > 1 | do(X = 2))", Probability(Y_ABOVE_1, (), (X_IS_2,)), 2),
        (
            "P(Y > 1 | Z = 1, DO(X=2))",
            Probability(Y_ABOVE_1, (Event("Z", 1, 1, True, True),), (X_IS_2,)),
            2,
        ),
        (
            "P(Y > 1 | do(X=2, W=1))",
            Probability(Y_ABOVE_1, (), (X_IS_2, Setting("W", 1))),
            2,
        ),
        ("E[Y | do(`X` = 2)]", Expectation("Y", (), (X_IS_2,)), 2),
        ("does X cause Y?", DoesCause("X", "Y"), 2),
        ("what raises Y?", BestIntervention("Y", "raise"), 2),
        ("best intervention to raise Y", BestIntervention("Y", "raise"), 2),
        ("what lowers Y", BestIntervention("Y", "lower"), 2),
        ("best intervention to lower Y", BestIntervention("Y", "lower"), 2),
        (
            "would Y have been higher had X been 2 in episode 17?",
            Counterfactual("Y", (X_IS_2,), "higher", None, 17),
            3,
        ),
        (
            "would Y have been lower had X been 2 in row 5",
            Counterfactual("Y", (X_IS_2,), "lower", None, None, None, 5),
            3,
        ),
        (
            "would Y have been different had X been 2 and Z been 1 in episode 17 row 5?",
            Counterfactual("Y", (X_IS_2, Setting("Z", 1)), "different", None, 17, None, 5),
            3,
        ),
        (
            "would Y have been above 3 had X been 2 in episode 17, step 3?",
            Counterfactual("Y", (X_IS_2,), "event", Event("Y", 3, INF), 17, 3),
            3,
        ),
        (
            "would Y have been below 3 had X been 2 in episode 0?",
            Counterfactual("Y", (X_IS_2,), "event", Event("Y", -INF, 3), 0),
            3,
        ),
        (
            "what would Y have been had X been 2 in episode 17?",
            Counterfactual("Y", (X_IS_2,), "value", None, 17),
            3,
        ),
        (
            "P(0 <= Y < 1 had X been 2 in episode 17)",
            Counterfactual("Y", (X_IS_2,), "event", Event("Y", 0, 1, True), 17),
            3,
        ),
        ("which edges are certain?", CertainEdges(0.95), None),
        ("Which Edges Are Certain At 0.9?", CertainEdges(0.9), None),
        ("which edges are likely?", CertainEdges(0.5), None),
        ("is there an edge from X to Y?", Edge("X", "Y"), None),
        ("is X an ancestor of Y?", Ancestor("X", "Y"), None),
        ("what causes Y?", Causes("Y"), None),
        ("parents of Y", Parents("Y"), None),
        ("what are the parents of Y?", Parents("Y"), None),
        ("what does X cause?", Effects("X"), None),
        ("effects of X", Effects("X"), None),
        ("effects of X on Y", Effect("X", "Y"), 2),
        ("total effect of X on Y", Effect("X", "Y"), 2),
        ("direct effect of X on Y", Effect("X", "Y", kind="direct"), 2),
        (
            "indirect effect of X on Y from 0 to 1 through Z and W",
            Effect("X", "Y", 0, 1, "indirect", through=("Z", "W")),
            2,
        ),
        (
            "effect of X on Y among the treated for Z > 4, W = 1 by E",
            Effect(
                "X",
                "Y",
                None,
                None,
                "total",
                (Event("Z", 4, INF), Event("W", 1, 1, True, True)),
                "E",
                True,
            ),
            2,
        ),
        ("best setting of X to lower Y", BestSetting("X", "Y", "lower"), 2),
        ("rank the causes of Y", Ranking("Y"), 2),
        ("why was Y low in row 5?", WhyRow("Y", "low", row=5), 3),
        ("why was Y as it was in episode 3 step 1?", WhyRow("Y", "", 3, 1), 3),
        ("what should be tried next?", NextExperiment(), None),
        ("what is contradicted?", Conflicts(), None),
        ("are there hidden confounders?", HiddenConfounders(), None),
        ("which interventions hit what?", Targets(), None),
    ],
)
def test_a_question_of_every_form_is_read_as_meant(text, meant, rung):
    query = parse(text, NAMES)
    assert query == meant
    assert query.rung == rung
    assert parse(query.text(), NAMES) == query


BAD = [
    ("", 1, "expected a question", ()),
    ("  \t\n", 1, "expected a question", ()),
    ("?", 1, "expected a question", ()),
    ("hello world", 1, "expected a question", ()),
    ("efect of X on Y", 1, "expected a question", ("effect of X on Y",)),
    ("which things are certain?", 7, "expected another question", ("which edges are certain?",)),
    ("effect of Q on Y", 11, "none is called 'Q'; there are X, Y, Z, W", ()),
    ("P(Yeld > 1)", 3, "none is called 'Yeld'", ("Yield",)),
    ("effect of room temperatur on Y", 11, "none is called 'room'", ('"room temperature"',)),
    ("P(X\u200b > 1)", 3, "none is called 'X\\u200b'", ("X",)),
    ("P(\u0425 > 1)", 3, "expected a variable", ()),  # a Cyrillic letter that looks like X
    ("P(\u202eY > 1)", 3, "expected a variable", ("Y",)),
    ("P(Y > 1", 8, "expected ) or |", ()),
    ("P(Y > 1 | X = 2", 16, "expected ) or ,", ()),
    ("P(Y > 1]", 8, "expected )", ()),
    ("P Y > 1", 3, "expected ( or [", ()),
    ("E[Y", 4, "expected ] or |", ()),
    ("P(Y > 1 | do(X = 2)", 20, "expected ) or ,", ()),
    ("P(Y > 1 | do X = 2)", 14, "expected ( after do", ()),
    ("P(Y > )", 7, "expected a number", ()),
    ("P(Y > X)", 7, "expected a number, not a variable", ()),
    ("P(Y)", 4, "expected one of < <= = >= >", ()),
    ("P(Y != 1)", 5, "expected one of < <= = >= >", ()),
    ("P(Y > 1 > 2)", 9, "expected )", ()),
    ("P(1 < 2)", 7, "expected a variable", ()),
    ("P(0 < Y > 1)", 9, "same way", ()),
    ("P(0 = Y < 1)", 9, "same way", ()),
    ("P(2 < Y < 1)", 3, "nothing lies between", ("1 < Y < 2",)),
    ("P(1 < Y <= 1)", 3, "nothing lies between", ()),
    ("P(Y > nan)", 7, "expected a number that is finite", ()),
    ("P(Y < -inf)", 7, "expected a number that is finite", ()),
    ("P(-Infinity < Y < 1)", 3, "expected a number that is finite", ()),
    ("P(Y > 1e999)", 7, "expected a number", ()),
    ("P(Y > 1_000)", 7, "expected a number", ()),
    ("P(Y > ٣)", 7, "expected a number", ()),
    ("P(Y > 1,5)", 8, "expected )", ()),
    ('P(Y > 1 | do "(" X = 2)', 14, "expected ( after do", ()),
    ("P(Y > 1, X > 2)", 8, "one event at a time", ()),
    ("P(Y > 1 | X)", 12, "expected one of < <= = >= >", ()),
    ("P(Y > 1 |)", 10, "expected a variable", ()),
    ("P(Y > 1 | Y < 2)", 11, "expected another variable than Y", ()),
    ("P(Y > 1 | X > 0, x < 2)", 18, "expected another variable than X", ()),
    ("P(Y > 1 | do(Y = 2))", 14, "expected another variable than Y", ()),
    ("E[Y | do(y = 2)]", 10, "expected another variable than Y", ()),
    ("P(Y > 1 | do(X = 2, X = 1))", 21, "expected another variable than X", ()),
    ("P(Y > 1 | do(X = 2), X = 1)", 22, "expected another variable than X", ()),
    ("P(Y > 1 | X = 1, do(X = 2))", 21, "expected another variable than X", ()),
    ("P(Y > 1 | do(do(X = 2)))", 14, "cannot hold another do", ()),
    ("P(do(X = 2))", 3, "goes after |", ()),
    ("P(Y > 1 | do(X > 2))", 16, "expected =", ()),
    ("P(Y > 1 | do())", 14, "expected a variable", ()),
    ("effect of X on X", 16, "expected another variable than X", ()),
    ("effect of X", 12, "say on what", ("effects of X",)),
    ("effect of X on Y from 0", 24, "expected to", ()),
    ("effect of X on Y from 2 to 2", 28, "expected another number", ()),
    ("correlation of X and X", 22, "expected another variable than X", ()),
    ("does X cause Y given Z", 23, "expected one of", ()),
    ("would Y be higher had X been 2 in episode 17?", 9, "expected have been", ()),
    ("would Y have been nicer had X been 2 in episode 17?", 19, "higher, lower, different", ()),
    ("would Y have been higher had X been 2?", 38, "expected in episode", ()),
    ("would Y have been higher had Y been 2 in episode 1", 30, "another variable than Y", ()),
    ("would Y have been higher had X been 2 and X been 1 in row 1", 43, "than X", ()),
    ("would Y have been higher had X been 2 in episode 1.5?", 50, "a whole number", ()),
    ("would Y have been higher had X been 2 in episode -1?", 50, "a whole number", ()),
    ("would Y have been higher had X been 2 in episode seven?", 50, "a whole number", ()),
    ("would Y have been higher had X been 2 in episode " + "9" * 30, 50, "a whole number", ()),
    ("would Y have been higher had X been 2 in episode 1 step?", 56, "a whole number", ()),
    ("would Y have been higher had X been 2 in row 1 step 2", 48, "expected the end", ()),
    ("which edges are certain at 90%?", 28, "expected a probability", ()),
    ("which edges are certain at 1.5?", 28, "above 0 and up to 1", ()),
    ("which edges are likely at 0?", 27, "above 0 and up to 1", ()),
    ("P(Y > 1); DROP TABLE episodes", 9, "expected the end", ()),
    ("E[Y] or 1=1 --", 6, "expected the end", ()),
    ("E[__import__('os').system('true')]", 3, "none is called '__import__'", ()),
    ("{{7*7}}", 1, "expected a question", ()),
    ('P("room temperature > 1)', 3, "expected \" after it", ()),
    ("P(Y” > 1)", 4, "closing quote", ()),
    ("P(Y > 1) " + "x" * 1000, 1001, "expected at most 1,000 characters", ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "problem", "near"), BAD)
def test_a_bad_question_is_refused_in_one_line_that_says_where_and_what(
    text, column, problem, near
):
    with pytest.raises(UserError) as refused:
        parse(text, NAMES)
    error = refused.value
    assert isinstance(error, QueryError)
    assert error.column == column
    assert problem in str(error)
    assert f"column {column}" in str(error)
    assert error.near[: len(near)] == near
    assert all(offer in str(error) for offer in error.near)
    assert str(error).isprintable()


def test_a_name_that_differs_in_case_only_is_taken_unless_two_would_fit():
    assert parse("what causes yield?", ["Yield", "X"]) == Causes("Yield")
    assert parse("what causes yield?", ["Yield", "yield"]) == Causes("yield")
    with pytest.raises(QueryError, match="2 variables have this name") as refused:
        parse("what causes YIELD?", ["Yield", "yield"])
    assert refused.value.near == ("Yield", "yield")


def test_words_of_the_grammar_may_be_variables():
    names = ["do", "had", "there", "in", "E", "P", "inf", "and"]
    assert parse("P(do > 1 | had = 2, do(and = 3))", [*names, "x"]) == Probability(
        Event("do", 1, INF), (Event("had", 2, 2, True, True),), (Setting("and", 3),)
    )
    assert parse("is there an ancestor of in?", names) == Ancestor("there", "in")
    assert parse("is there an edge from there to in?", names) == Edge("there", "in")
    assert parse("P(P > 1 had had been 2 and and been 3 in episode 4)", names) == Counterfactual(
        "P", (Setting("had", 2), Setting("and", 3)), "event", Event("P", 1, INF), 4
    )
    assert parse("P(inf < 1)", names) == Probability(Event("inf", -INF, 1))


def test_the_diagram_points_at_the_column():
    with pytest.raises(QueryError) as refused:
        parse("effect of X\non Q", NAMES)
    question, caret, problem = refused.value.diagram.splitlines()
    assert question == "effect of X on Q"
    assert question[caret.index("^")] == "Q"
    assert problem.startswith("expected a variable")


def test_a_question_without_variables_in_the_log_says_so():
    with pytest.raises(QueryError, match="no variables"):
        parse("what causes Y?", [])


def documented() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| `(.+?)` \|.*\| `(\w+)` \|$", QUESTIONS.read_text(), re.MULTILINE)
    return [(example.replace(r"\|", "|"), kind) for example, kind in rows]


@pytest.mark.parametrize(("example", "kind"), documented())
def test_every_documented_example_is_read_as_the_kind_it_is_said_to_be(example, kind):
    assert type(parse(example, NAMES)).__name__ == kind


def test_the_documented_refusal_is_what_is_said():
    said = re.search(r"^question: got '(.+?)'; .*$", QUESTIONS.read_text(), re.MULTILINE)
    with pytest.raises(QueryError) as refused:
        parse(said[1], ["pressure", "yield"])
    assert str(refused.value) == said[0]


def test_every_kind_is_documented():
    assert {kind for _, kind in documented()} == {kind.__name__ for kind in get_args(Query)}


# Any text at all can be a name, and so can what looks like grammar.
names_of_variables = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text(alphabet='aA "`“”|()=<>,?-.1e ', max_size=6),
        st.sampled_from(["do", "had", "and", "in", "there", "an", "1", "-2.5", "1e3", "inf", "P"]),
    ),
    min_size=4,
    max_size=7,
    unique=True,
)
numbers = st.floats(-1e100, 1e100).map(lambda x: x + 0.0)
counts = st.integers(0, 10**18 - 1)


@st.composite
def events(draw, variable):
    low, high = sorted([draw(numbers), draw(numbers)])
    included = draw(st.booleans()), draw(st.booleans())
    shape = draw(st.sampled_from(["above", "below", "between", "equal"]))
    if shape == "above":
        return Event(variable, low, INF, included[0])
    if shape == "below":
        return Event(variable, -INF, high, False, included[1])
    if shape == "equal" or low == high:
        return Event(variable, low, low, True, True)
    return Event(variable, low, high, *included)


@st.composite
def queries(draw):
    """A query of any kind, with the variables it is about."""
    names = draw(names_of_variables)
    a, b, *rest = draw(st.permutations(names))
    settings = tuple(Setting(name, draw(numbers)) for name in rest[: draw(st.integers(0, 2))])
    given_ = tuple(draw(events(b)) for _ in range(draw(st.integers(0, 1))))
    start, end = draw(st.lists(numbers, min_size=2, max_size=2, unique=True))
    mediators = tuple(rest[: draw(st.integers(0, 2))])
    among = tuple(draw(events(name)) for name in rest[: draw(st.integers(0, 2))])
    group = draw(st.sampled_from(["", *rest]))
    ends = draw(st.sampled_from([(None, None), (start, end)]))
    episode = draw(st.none() | counts)
    step = draw(st.none() | counts) if episode is not None else None
    row = draw(counts) if episode is None else draw(st.none() | counts) if step is None else None
    claim = draw(st.sampled_from(["value", "higher", "lower", "different", "event"]))
    event = draw(events(a))
    return names, draw(
        st.sampled_from(
            [
                Probability(event, given_, settings),
                Expectation(a, given_, settings),
                Correlation(a, b),
                Effect(a, b, *ends, "total", among, group, draw(st.booleans())),
                Effect(a, b, *ends, "indirect", among, group, False, mediators),
                Effect(a, b, *ends, "direct", among, group),
                DoesCause(a, b),
                BestIntervention(a, draw(st.sampled_from(["raise", "lower"]))),
                BestSetting(a, b, draw(st.sampled_from(["raise", "lower"]))),
                Ranking(a),
                WhyRow(
                    a,
                    draw(st.sampled_from(["low", "high", ""])),
                    0 if (episode, row) == (None, None) else episode,
                    step,
                    row,
                ),
                Counterfactual(
                    a,
                    (Setting(b, start), *settings),
                    claim,
                    event if claim == "event" else None,
                    episode,
                    step,
                    row,
                ),
                CertainEdges(draw(st.floats(0, 1, exclude_min=True))),
                Edge(a, b),
                Ancestor(a, b),
                Causes(a),
                Parents(a),
                Effects(a),
                NextExperiment(),
                Conflicts(),
                HiddenConfounders(),
                Targets(),
            ]
        )
    )


@given(queries())
def test_the_canonical_form_of_any_query_reads_as_the_same_query(case):
    names, query = case
    assert parse(query.text(), names) == query


def parses_or_is_refused(text, names):
    try:
        query = parse(text, names)
    except QueryError as refused:
        error = refused
    else:
        assert type(query) in get_args(Query)
        return
    assert str(error).isprintable()
    assert 1 <= error.column <= len(text) + 1
    assert len(error.diagram.splitlines()) == 3


@given(st.text(max_size=2 * MAX_LENGTH), names_of_variables)
def test_any_text_at_all_is_read_or_refused(text, names):
    parses_or_is_refused(text, names)


@given(queries(), st.data())
def test_any_damaged_question_is_read_or_refused(case, data):
    names, query = case
    text = query.text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 6)))
    parses_or_is_refused(text[:start] + data.draw(st.text(max_size=4)) + text[end:], names)


@given(
    st.lists(
        st.sampled_from(
            "P ( E [ ] ) do , | = < <= > X Y 1 -2 nan what is the effect of on from to had "
            "been and in episode 3 step row would have higher above which edges are certain "
            "at ? there an "
            'edge "room temperature" ` ” != cause does correlation best intervention raise'.split(
                " "
            )
        ),
        max_size=14,
    ).map(" ".join)
)
def test_any_string_of_the_grammars_words_is_read_or_refused(text):
    parses_or_is_refused(text, NAMES)


def test_lone_surrogates_and_control_characters_are_refused_without_reaching_the_terminal():
    for text in ["\udc80", "P(\udc80 > 1)", "P(\x1b[31mY > 1)", "effect of \x00 on Y", "\x85" * 20]:
        parses_or_is_refused(text, ["Y", "\x1b[31mY"])


def test_a_question_of_the_greatest_length_is_still_read():
    question = "what causes Y?"
    assert parse(question + " " * (MAX_LENGTH - len(question)), NAMES) == Causes("Y")
