"""The ways in which people ask: what is understood, and that no role is ever turned round."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedo.inference.questions import _query as q
from seedo.inference.questions._phrase_table import NAMED, READ
from seedo.inference.questions._query_parser import parse
from seedo.inference.questions._query_words import QueryError, written
from seedo.tables import Column

COLUMNS = (
    Column("X"), Column("Y"), Column("Z"), Column("M"), Column("age"), Column("temp"),
    Column("room temperature"), Column("Umsatz, €"),
    Column("drug", "categorical", levels=("A", "B", "placebo")),
    Column("dose", "ordered", levels=("low", "medium", "high dose")),
    Column("arm", "categorical", "factor", levels=("1", "2", "10")),
    Column("sex", "yes/no", levels=("female", "male")),
    Column("treated", "yes/no", levels=("no", "yes")),
    Column("recovered", "yes/no", levels=("0", "1")),
)  # fmt: skip
NAMES = tuple(column.name for column in COLUMNS)

UNDERSTOOD = [
    ("what is the direct effect of X on Y?", "direct effect of X on Y"),
    ("indirect effect of X on Y via M", "indirect effect of X on Y through M"),
    ("effect of X on Y mediated by M", "indirect effect of X on Y through M"),
    ("is the effect of X on Y mediated by M?", "indirect effect of X on Y through M"),
    ("does M mediate the effect of X on Y", "indirect effect of X on Y through M"),
    ("effect of drug from A to placebo on Y", "effect of drug on Y from A to placebo"),
    ("effect of drug on Y from a to PLACEBO", "effect of drug on Y from A to placebo"),
    ("effect of arm on Y from 1 to 10", "effect of arm on Y from 1 to 10"),
    ("effect of dose on Y from low to high dose", 'effect of dose on Y from low to "high dose"'),
    ("effect of A versus placebo on Y", "effect of drug on Y from placebo to A"),
    ("effect of 2 vs 10 on Y", "effect of arm on Y from 10 to 2"),
    ("effect of drug A vs B on Y", "effect of drug on Y from B to A"),
    ("compare 1 and 2 on Y", "effect of arm on Y from 1 to 2"),  # set in every row: one reading
    ("difference in Y between 1 and 10 of arm", "effect of arm on Y from 1 to 10"),
    ("P(recovered = yes | do(treated = yes))", "P(recovered = 1 | do(treated = yes))"),
    ("P(recovered | treated)", "P(recovered = 1 | treated = yes)"),
    ("P(recovered > 0.5)", "P(recovered > 0.5)"),
    ("P(dose >= medium)", "P(dose >= medium)"),
    ("P(low < dose < high dose)", 'P(low < dose < "high dose")'),
    ("E[Y | sex = female]", "E[Y | sex = female]"),
    ("mean of Y among female", "E[Y | sex = female]"),
    ("mean Y where age > 40 and sex = male", "E[Y | age > 40, sex = male]"),
    ("average Y", "E[Y]"),
    ("effect of X on Y for age > 40", "effect of X on Y for age > 40"),
    ("effect of X on Y for age over 40 and sex is female",
     "effect of X on Y for age > 40, sex = female"),
    ("effect of X on Y for age between 40 and 60", "effect of X on Y for 40 <= age <= 60"),
    ("effect of X on Y in female by drug", "effect of X on Y for sex = female by drug"),
    ("effect of X on Y for each sex", "effect of X on Y by sex"),
    ("does the effect of X on Y differ by sex?", "effect of X on Y by sex"),
    ("does sex moderate the effect of X on Y", "effect of X on Y by sex"),
    ("ATT of treated on Y", "effect of treated on Y among the treated"),
    ("effect of X on Y on the treated", "effect of X on Y among the treated"),
    ("effect of treated on the treated on Y", "effect of treated on Y among the treated"),
    ("what is the ATE of X on Y?", "effect of X on Y"),
    ("odds ratio of treated on recovered", "odds ratio of treated on recovered"),
    ("relative risk of treated on recovered", "risk ratio of treated on recovered"),
    ("how many times more likely is recovered when X is 2 than 0?",
     "risk ratio of X on recovered from 0 to 2"),
    ("what is the median of Y", "median of Y"),
    ("median Y when X = 2", "median of Y for X = 2"),
    ("effect of treated on the median of Y", "effect of treated on the median of Y"),
    ("average Y by sex", "mean of Y by sex"),
    ("mean Y per drug", "mean of Y by drug"),
    ("effect of treated=yes vs treated=no on Y", "effect of treated on Y from no to yes"),
    ("what is the causal effect of treated (yes vs no) on Y?",
     "effect of treated on Y from no to yes"),
    ("optimal temp to minimise Y", "best setting of temp to lower Y"),
    ("effect of treated on Y from control to treated", "effect of treated on Y from no to yes"),
    ("effect of treated on Y from 0 to true", "effect of treated on Y from no to yes"),
    ("E[Y | sex = m]", "E[Y | sex = male]"),
    ("P(recovered = yes | drug = control)", "P(recovered = 1 | drug = placebo)"),
    ("average treatment effect of X on Y", "effect of X on Y"),
    ("Estimate the causal impact of X on Y, please!", "effect of X on Y"),
    ("please estimate the causal impact of X on Y", "effect of X on Y"),
    ("X's effect on Y", "effect of X on Y"),
    ("does X affect Y?", "does X cause Y?"),
    ("Does X cause Y.", "does X cause Y?"),
    ("is the effect of X on Y significant?", "effect of X on Y"),
    ("is there a significant effect of X on Y?", "effect of X on Y"),
    ("confidence interval for the effect of X on Y", "effect of X on Y"),
    ("how much does Y change if X goes from 0 to 2", "effect of X on Y from 0 to 2"),
    ("how much would Y change when I increase X from 1 to 4?", "effect of X on Y from 1 to 4"),
    ("what happens to Y if X goes from 0 to 2", "effect of X on Y from 0 to 2"),
    ("how much does Y increase per unit of X", "effect of X on Y"),
    ("what happens to Y if I set X to 2", "E[Y | do(X = 2)]"),
    ("what would Y be if X were set to 2?", "E[Y | do(X = 2)]"),
    ("if I set X to 2, what happens to Y?", "E[Y | do(X = 2)]"),
    ("what is the probability that Y > 1 if we set X to 2?", "P(Y > 1 | do(X = 2))"),
    ("probability that Y is above 1 given X = 2", "P(Y > 1 | X = 2)"),
    ("how likely is Y > 1?", "P(Y > 1)"),
    ("correlation of X with Y", "correlation of X and Y"),
    ("are X and Y correlated?", "correlation of X and Y"),
    ("best setting of X for Y", "best setting of X to raise Y"),
    ("what value of temp maximises Y?", "best setting of temp to raise Y"),
    ("which temp minimizes Y", "best setting of temp to lower Y"),
    ("what is the optimal value of temp to minimise Y", "best setting of temp to lower Y"),
    ("at what temp is Y highest?", "best setting of temp to raise Y"),
    ("which drug is best for recovered", "best setting of drug to raise recovered"),
    ("how can I increase Y?", "best intervention to raise Y"),
    ("what reduces Y the most?", "best intervention to lower Y"),
    ("which factor matters most for Y?", "rank the causes of Y"),
    ("what are the most important factors for Y", "rank the causes of Y"),
    ("which variable has the largest effect on Y", "rank the causes of Y"),
    ("what affects Y the most", "rank the causes of Y"),
    ("variable importance for Y", "rank the causes of Y"),
    ("causes of Y", "what causes Y?"),
    ("what does Y depend on?", "what causes Y?"),
    ("drivers of Y", "what causes Y?"),
    ("what is affected by X?", "effects of X"),
    ("direct causes of Y", "parents of Y"),
    ("why was Y low in row 5?", "why was Y low in row 5?"),
    ("why is Y so high in row 12", "why was Y high in row 12?"),
    ("why did row 5 have such a low Y", "why was Y low in row 5?"),
    ("root cause of low Y in row 3", "why was Y low in row 3?"),
    ("is temp or age more important for Y?", "rank the causes of Y"),
    ("explain Y in row 3", "why was Y as it was in row 3?"),
    ("what would Y have been if X had been 2 in row 5",
     "what would Y have been had X been 2 in row 5?"),
    ("would Y have been higher if X had been 2 in row 5?",
     "would Y have been higher had X been 2 in row 5?"),
    ("what should I try next?", "what should be tried next?"),
    ("is there unmeasured confounding?", "are there hidden confounders?"),
    ("draw the causal graph", "which edges are certain?"),
    ("E[Y | do(X = 2)] - E[Y | do(X = 0)]", "effect of X on Y from 0 to 2"),
    ("E[Y|do(drug=B)]-E[Y|do(drug=A)]", "effect of drug on Y from A to B"),
    ("P(recovered = 1 | do(treated = yes)) - P(recovered = 1 | do(treated = no))",
     "effect of treated on recovered from no to yes"),
    ("best setting for Y", "best intervention to raise Y"),
    ("effect of X on Y if age > 40", "effect of X on Y for age > 40"),
    ("CATE of treated on Y by sex", "effect of treated on Y by sex"),
    ("how effective is treated at reducing Y?", "effect of treated on Y"),
    ("how would Y change if X were 2 instead of 0?", "effect of X on Y from 0 to 2"),
    ("what is the effect of increasing X from 1 to 2 on Y", "effect of X on Y from 1 to 2"),
    ("does X make Y worse?", "effect of X on Y"),
    ("effect of room temperature on Umsatz, €", 'effect of "room temperature" on "Umsatz, €"'),
    ("does the room temperature affect Umsatz, €?", 'does "room temperature" cause "Umsatz, €"?'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form"), UNDERSTOOD)
def test_a_plain_phrasing_of_one_reading_is_understood(text, form):
    query = parse(text, NAMES, COLUMNS)
    assert query == parse(form, NAMES, COLUMNS)
    assert parse(query.text(COLUMNS), NAMES, COLUMNS) == query


# X is the cause, Y the outcome, in each.
CAUSE_AND_OUTCOME = """
effect of X on Y
efect of X on Y
effekt of X on Y
effects of X on Y
effect on Y of X
the effect that X has on Y
X's effect on Y
impact of X on Y
what's the influence of X on Y
total causal effect of X on Y
what is the effect of X on Y controlling for Z?
effect of X on Y adjusting for Z
effect of X on Y holding M constant
natural direct effect of X on Y
controlled direct effect of X on Y
proportion of the effect of X on Y mediated by M
how much of the effect of X on Y goes through M
ATT of X on Y
ATC of X on Y
LATE of X on Y
CATE of X on Y
effect of treatment X on the outcome Y
does X affect Y
does X really affect Y
does X influence Y?
does X have an effect on Y
does X have any causal impact on Y?
does X change Y
does X cause Y or is it just correlation
does X increase Y
does X reduce Y for age > 40
does increasing X change Y
does a change in X lead to Y
does more X help Y?
could X be driving Y
is X causing Y?
is X a cause of Y
is X the reason for Y
is X responsible for Y
is Y caused by X
was Y caused by X?
is Y affected by X
is Y influenced by X at all
is Y driven by X?
is Y determined by X
is Y due to X
is Y because of X
Y because of X
Y due to X
is Y high because of X
did Y change because of X
did Y fall as a result of X
is Y a consequence of X?
is Y a result of X
is Y a function of X
X affects Y
X increases Y
sensitivity of Y to X
dose response of X on Y
what would happen to Y if X was increased
what would happen to Y if X increased by 5
expected Y under X = 2
does X affect Y when controlling for Z
what should I adjust for to estimate the effect of X on Y
can I trust the effect of X on Y
what is the best X for Y
if X then Y
Y given X
attribute changes in Y to X
is Y higher when X is high
do people with X have higher Y
is X a significant predictor of Y
how effective is X for Y
efficacy of X on Y
role of X in Y
does X make Y worse
does X work better for Y
how would Y change if X were 2 instead of 0
effect of a change in X on Y
E[Y | do(X = 2)] - E[Y | do(X = 0)]
E[Y | X = 2] - E[Y | X = 0]
does Y depend on X
does Y depend on X?
how does Y depend on X
does Y respond to X
does Y react to X
does Y result from X
does Y come from X
does Y vary with X
does Y change with X
does Y change when X changes
does Y change if I change X
does Y go up when X goes up
does Y increase as X increases
is Y dependent on X
is Y explained by X
can Y be predicted from X
can X predict Y
does X explain Y
how does X affect Y
how strongly does X influence Y
how much does X matter for Y
how much does X raise Y
how much does X contribute to Y
to what extent does X affect Y
by how much does X increase Y
how does Y respond to X
how much does Y change per unit of X
how much does Y change if X goes from 0 to 2
how much does Y change when X increases by 1
how much does Y rise if X rises by 3
how much will Y increase when we raise X
what is the change in Y per unit of X
change in Y when X goes from 1 to 2
what does X do to Y
what effect does X have on Y
what happens to Y if X increases
what happens to Y when I change X
what happens to Y if I set X to 2
what happens to Y if X is 2
what happens to Y when X = 2
if X increases does Y increase
if I set X to 2, what happens to Y
predict Y if X is set to 2
expected Y when X is set to 1
what would Y be under X = 3
slope of X on Y
coefficient of X in Y
regress Y on X
regression of Y on X
odds ratio of X on Y
relative risk of X for Y
risk difference of X on Y
best setting of X for Y
what value of X maximises Y
which X gives the highest Y
optimise Y over X
what should X be to maximise Y
at which X is Y lowest
is there an effect of X on Y
is the effect of X on Y significant
is the effect of X on Y positive
how certain is the effect of X on Y
p-value for the effect of X on Y
is there a causal path from X to Y
is X an ancestor of Y
does X directly affect Y
is Y directly caused by X
X -> Y
is there an arrow from X to Y
why does X affect Y
would Y be lower without X being caused by anything, that is, caused by X
has Y been affected by X
might Y be influenced by X
Y is caused by X, right?
I think that X affects Y, does it?
Do you believe Y was driven mainly by X?
can we attribute Y to X
should Y be blamed on X
""".strip().splitlines()


def roles(query):
    """(possible causes, outcomes) of a query with directions; None of one without."""
    match query:
        case q.Effect() | q.DoesCause() | q.BestSetting():
            return {query.cause}, {query.outcome}
        case q.Edge():
            return {query.parent}, {query.child}
        case q.Ancestor():
            return {query.ancestor}, {query.descendant}
        case q.Effects():
            return {query.cause}, set()
        case q.Causes() | q.Ranking() | q.BestIntervention() | q.WhyRow():
            return set(), {query.outcome}
        case q.Parents():
            return set(), {query.child}
        case q.Expectation():
            return {s.variable for s in query.do}, {query.outcome}
        case q.Probability():
            return {s.variable for s in query.do}, {query.event.variable}
        case q.Counterfactual():
            return {s.variable for s in query.had}, {query.outcome}
    return set(), set()


def offered(text, names, columns=()):
    """What a question is read as, or all that is offered instead; and the message, if any."""
    try:
        return [parse(text, names, columns)], ""
    except QueryError as error:
        known = [written(name) for name in names]
        return [parse(near, names, columns) for near in error.near if near not in known], str(error)


@pytest.mark.parametrize("text", CAUSE_AND_OUTCOME)
def test_neither_what_is_read_nor_what_is_offered_turns_cause_and_effect_round(text):
    for cause, outcome in (("X", "Y"), ("Y", "X"), ("by", "on"), ("room temperature", "2")):
        spelt = {"X": written(cause), "Y": written(outcome)}
        said = "".join(spelt.get(c, c) for c in text)
        queries, message = offered(said, [cause, outcome, "Z", "M", "age"])
        for query in queries:
            causes, outcomes = roles(query)
            assert outcome not in causes, (said, query, message)
            assert cause not in outcomes, (said, query, message)


def test_most_of_these_are_answered_or_offered_an_answer():
    helped = [t for t in CAUSE_AND_OUTCOME if offered(t, ["X", "Y", "Z", "M", "age"])[0]]
    assert len(helped) >= 0.9 * len(CAUSE_AND_OUTCOME)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("compare A and B on Y", ("effect of drug on Y from A to B", "E[Y | drug = B]")),
        ("probability that Y > 1 if X = 2", ("P(Y > 1 | X = 2)", "P(Y > 1 | do(X = 2))")),
        ("does Y depend on X?", ("effect of X on Y", "correlation of Y and X")),
        ("relationship between X and Y", ("correlation of X and Y",)),
        ("effect of X on Y controlling for age", ("effect of X on Y", "direct effect of X on Y")),
        ("interaction of X and Z on Y", ("effect of X on Y by Z",)),
        ("why was Y low?", ("why was Y low in row 5?",)),
        ("why is Y high?", ("why was Y high in row 5?",)),
        ("if X goes up by 5, how much does Y change?", ("effect of X on Y",)),
        (
            "by how much would Y fall if treated were set to no?",
            ("effect of treated on Y", "E[Y | do(treated = no)]"),
        ),
        (
            "difference in Y between treated yes and no",
            ("effect of treated on Y from yes to no", "E[Y | treated = no]"),
        ),
        (
            "what is the mean Y when treated is yes?",
            ("E[Y | treated = yes]", "E[Y | do(treated = yes)]"),
        ),
        ("effect of X and age on Y", ("effect of X on Y", "effect of age on Y")),
        ("effect of X on Y given age", ("effect of X on Y by age", "effect of X on Y")),
        ("are X and Y independent given age?", ("correlation of X and Y",)),
        (
            "effect of X on Y in people older than 50",
            ("effect of X on Y for age > 50", "effect of X on Y"),
        ),
        (
            "which of A and B is better for Y",
            ("effect of drug on Y from A to B", "E[Y | drug = B]"),
        ),
        (
            "is Y higher with drug A than with placebo",
            ("effect of drug on Y from A to placebo", "E[Y | drug = placebo]"),
        ),
        ("expected Y under X = 2", ("E[Y | do(X = 2)]", "E[Y | X = 2]")),
        ("mean of Y if X = 2", ("E[Y | X = 2]", "E[Y | do(X = 2)]")),
        ("mean of Y if X > 2", ("E[Y | X > 2]",)),
        ("how likely is Y > 1 if X = 2?", ("P(Y > 1 | X = 2)", "P(Y > 1 | do(X = 2))")),
        ("how does X afect Y", ("effect of X on Y",)),
    ],
)
def test_a_phrasing_of_several_readings_names_the_forms_that_work(text, near):
    with pytest.raises(QueryError) as refused:
        parse(text, NAMES, COLUMNS)
    assert refused.value.near == near
    for form in near:
        parse(form, NAMES, COLUMNS)


def test_the_outcome_is_taken_from_the_table_where_one_column_is_said_to_be_it():
    columns = tuple(Column("Y", role="outcome") if c.name == "Y" else c for c in COLUMNS)
    for text, form in (
        ("effect of drug from A to B", "effect of drug on Y from A to B"),
        ("compare 1 and 2", "effect of arm on Y from 1 to 2"),
        ("why was row 5 low?", "why was Y low in row 5?"),
        ("effect of treated on the treated", "effect of treated on Y among the treated"),
        ("which drug is best?", "best setting of drug to raise Y"),
    ):
        assert parse(text, NAMES, columns) == parse(form, NAMES, columns)
        with pytest.raises(QueryError, match=r"say which column is the outcome: .*OUTCOME"):
            parse(text, NAMES, COLUMNS)


def test_the_cause_is_taken_from_the_table_where_one_column_was_set():
    columns = tuple(Column("Y", role="outcome") if c.name == "Y" else c for c in COLUMNS)
    for text in ("is the effect significant?", "average treatment effect", "does it work?"):
        assert parse(text, NAMES, columns) == q.Effect("arm", "Y")


BAD = [
    ("effect of drug on Y from A to C", "expected a level of drug: A, B, placebo"),
    ("effect of drug on Y from 0 to 1", "expected a level of drug: A, B, placebo"),
    ("effect of arm on Y from 0 to 1", "expected a level of arm: 1, 2, 10"),
    ("effect of arm on Y from 2 to 2", "another number than the one before"),
    ("P(drug > A)", "have no order"),
    ("P(sex < male)", "have no order"),
    ("P(sex = 2)", "expected a level of sex: female, male"),
    ("P(treated = maybe)", "expected a level of treated: no, yes"),
    ("E[Y | do(drug = 1)]", "expected a level of drug"),
    ("E[Y | do(drug = )]", "expected a level of drug"),
    ("what would Y have been had drug been C in row 5?", "expected a level of drug"),
    ("effect of X on Y for age", "expected one of < <= = >= >"),
    ("effect of X on Y for Y > 1", "cause, outcome and every condition are different"),
    ("effect of X on Y by X", "expected another variable than X"),
    ("effect of X on Y for women", "none is called 'women'"),
    ("indirect effect of X on Y through X", "expected another variable than X"),
    ("direct effect of X on Y through M", "expected the end"),
    ("effect of X on Y through Q", "none is called 'Q'"),
    ("best setting of X to raise X", "expected another variable than X"),
    ("best setting of X", "expected to"),
    ("rank the causes of Q", "none is called 'Q'"),
    ("why was Y low in row five?", "a whole number such as 17"),
    ("why was Y blue in row 5?", "expected low or high"),
    ("ATT of X", "say which column is the outcome"),
    ("compare A and B", "say which column is the outcome: effect of drug on OUTCOME from A to B"),
    ("is the effect significant?", "say of what on what"),
    ("does it work?", "say of what on what"),
    ("E[Y | X = 2] - E[Y | X = 0]", "only if both set one and the same cause"),
    ("E[Y | do(X = 2)] - 3", "only if both set one and the same cause"),
    ("P(Y > 1 | do(X = 2)) - P(Y > 1 | do(X = 0))", "is not computed; ask for both"),
    ("E[Y | do(X = 2)] - E[Y | do(X = 2)]", "is not computed; ask for both"),
    ("average treatment effect", "say of what on what"),
    ("effect of X", "say on what"),
    ("hello", "docs/questions.md lists them all"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_question_is_refused_in_one_true_line(text, message):
    with pytest.raises(QueryError) as refused:
        parse(text, NAMES, COLUMNS)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_levels_are_found_by_name_number_and_what_they_say():
    at = {level: parse(f"P(treated = {level})", NAMES, COLUMNS) for level in ("yes", "true", "1")}
    assert len(set(at.values())) == 1
    assert parse("P(recovered = 1.0)", NAMES, COLUMNS) == parse("P(recovered)", NAMES, COLUMNS)
    (event,) = {parse(f"P(arm {op})", NAMES, COLUMNS).event for op in ("> 5", "> 2.5")}
    assert (event.low, event.high) == (1.5, float("inf"))  # above the second of three
    assert parse("P(arm > 2)", NAMES, COLUMNS).event.low == 1.0


events = st.sampled_from([
    "age > 40", "sex = female", "drug = placebo", "dose >= medium", "arm < 10", "arm > 3",
    "recovered", "low <= dose < high dose", "0 < age <= 2.5", "Umsatz, € = 3",
])  # fmt: skip
tails = st.sampled_from(["", " by drug", " for each sex", " among the treated", " from 0 to 2"])


@given(st.permutations(["X", "Y", "Z"]), events, tails, st.sampled_from(["", "direct ", "total "]))
def test_the_canonical_form_with_levels_reads_as_the_same_query(names, event, tail, kind):
    text = f"{kind}effect of {names[0]} on {names[1]} for {event}{tail}"
    try:
        query = parse(text, NAMES, COLUMNS)
    except QueryError:
        return
    assert parse(query.text(COLUMNS), NAMES, COLUMNS) == query


def _slots(text):
    return re.findall(r"\{(\w+)\}", text)


def test_every_phrasing_fills_its_forms():
    implied = {"x", "y", "c", "f"}
    for pattern, *forms in (*READ, *((entry[0], *entry[2]) for entry in NAMED)):
        for form in forms:
            assert set(_slots(form)) <= set(_slots(pattern)) | implied, pattern


words = st.sampled_from(
    "what is the effect of X on Y does cause affect because how much change if goes from to 2 "
    "probability that given , when set best value for row why was low in by and A B sex".split()
)


@given(st.lists(words, min_size=1, max_size=40).map(" ".join))
def test_any_string_of_words_is_read_or_refused_soon(text):
    start = time.process_time()
    queries, _ = offered(text, NAMES, COLUMNS)
    for query in queries:
        assert parse(query.text(COLUMNS), NAMES, COLUMNS) == query
    assert time.process_time() - start < 5


@pytest.mark.parametrize("word", ["the", "is", "what is the effect of", "X", "does X", "(", "and,"])
def test_a_long_question_takes_no_long_time(word):
    text = (word + " ") * (990 // (len(word) + 1))
    start = time.process_time()
    offered(text, NAMES, COLUMNS)
    assert time.process_time() - start < 5


def documented():
    text = (Path(__file__).parents[1] / "docs" / "questions.md").read_text()
    table = text[text.index("## Plain phrasings") :]
    rows = re.findall(r"^\| (.+?) \| `(.+)` \|$", table, re.MULTILINE)
    return [(said, form.replace(r"\|", "|")) for said, form in rows]


@pytest.mark.parametrize(("said", "form"), documented())
def test_every_documented_phrasing_is_read_as_it_says(said, form):
    names = ["X", "Y", "Z", "W"]
    assert parse(said, names) == parse(form, names)


def test_two_variables_that_differ_in_case_are_kept_apart():
    for one, other in itertools.permutations(["yield", "Yield"]):
        assert parse(f"does {one} affect {other}?", ["yield", "Yield"]) == q.DoesCause(one, other)


def test_a_level_stands_alone_only_by_its_own_name():
    columns = (Column("X"), Column("won", "yes/no", levels=("lost", "won it")),
               Column("did", "yes/no", levels=("0", "1")))  # fmt: skip
    names = [column.name for column in columns]
    assert parse("E[X | lost]", names, columns) == parse("E[X | won = lost]", names, columns)
    for text in ("E[X | y]", "E[X | no]", "E[X | true]", "E[X | 1]"):
        with pytest.raises(QueryError):
            parse(text, names, columns)
