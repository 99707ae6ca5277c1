"""Items: labels derived twice, balanced designs, unique answers, scores."""

from __future__ import annotations

import collections
import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedo.errors import UserError
from seedo.language.items import (
    ALPHABETS,
    ANALOGY_KINDS,
    CONTENT_KINDS,
    FORMS,
    INDIVIDUALS,
    KINDS,
    KINDS_OF_THINGS,
    OPPOSITES,
    OVERLAPPING,
    SCHEMES,
    Item,
    ItemPerformance,
    OneOf,
    Rows,
    SomeOf,
    accuracy,
    alphabet_effects,
    among_answered,
    answered,
    by_cell,
    content_effect,
    disagreements,
    entails,
    items,
    paired_content_effects,
    second,
    share_answered,
    share_as_shown,
    valid,
)

VALID = {
    1: "AAA EAE AII EIO AAI EAO",
    2: "EAE AEE EIO AOO EAO AEO",
    3: "AAI IAI AII EAO OAO EIO",
    4: "AAI AEE IAI EAO EIO AEO",
}
"""The 24 valid syllogisms as textbooks list them, where terms are not empty."""


# -- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_two_independent_derivations_agree_on_every_item(kind):
    checked = [item for seed in range(4) for item in items(kind, 510, seed)]
    assert len(checked) >= 2000
    assert disagreements(checked) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_wrong_label_is_caught(kind):
    made = items(kind, 30, 7)
    rng = np.random.default_rng(0)
    item = made[17]
    wrong = next(a for a in iter(lambda: item.form.draw(rng), None) if a != item.gold)
    made[17] = dataclasses.replace(item, gold=wrong)
    caught = disagreements(made)
    assert [(d.item.id, d.second) for d in caught] == [(item.id, item.gold)]


def test_second_derivations_import_nothing_of_the_generators():
    for path in Path(second.__file__).parent.glob("*.py"):
        imported = re.findall(r"^(?:from|import) (seedo\S*)", path.read_text(), re.MULTILINE)
        assert all(name.startswith("seedo.language.items.second") for name in imported)


def test_the_valid_syllogisms_are_the_24_of_the_textbooks():
    found = {str(form) for form in FORMS if valid(form)}
    assert found == {
        f"{mood}-{figure}" for figure, moods in VALID.items() for mood in moods.split()
    }
    assert len(FORMS) == 256


def test_every_scheme_of_entailment_has_a_valid_and_an_invalid_side():
    for scheme in SCHEMES:
        assert entails(scheme.valid, scheme.conclusion), scheme.name
        assert not entails(scheme.invalid, scheme.conclusion), scheme.name


def test_a_letter_string_that_two_rules_fit_is_refused():
    alphabet = "Alphabet, in its order: a b c d e f g h i j k l m n o p"
    one = f"{alphabet}\nOne rule.\n[a b c] becomes [a b d]\n[i i j j k k] becomes what?"
    with pytest.raises(ValueError, match="answers fit"):
        second.solve("letter-strings", one)
    more = one.replace("\n[i i", "\n[c c d d e e] becomes [c c d d f f]\n[i i")
    assert second.solve("letter-strings", more) == "i i j j l l"


def test_the_first_derivation_refuses_it_too():
    from seedo.language.items import letter_answers as answers

    examples = [((0, 1, 2), (0, 1, 3))]
    assert len(answers(examples, (8, 8, 9, 9, 10, 10))) > 1
    examples.append(((2, 2, 3, 3, 4, 4), (2, 2, 3, 3, 5, 5)))
    assert answers(examples, (8, 8, 9, 9, 10, 10)) == {(8, 8, 9, 9, 11, 11)}


def test_a_matrix_that_two_rules_fit_is_refused():
    rows = "[1] [2] [3]\n[2] [3] [1]\n[3] [1] [what?]"
    options = "\n".join(f"{k}: [{i}]" for i, k in enumerate("ABCDEFGH"))
    head = "Symbols, in their order: 0 1 2 3 4 5 6 7 8 9\nThe same rules hold:"
    assert second.solve("matrices", f"{head}\n{rows}\nWhich?\n{options}") == "C"
    # union or intersection
    open_ = "[1] [1] [1]\n[2] [2] [2]\n[1] [2] [what?]"
    with pytest.raises(ValueError, match="cells fit"):
        second.solve("matrices", f"{head}\n{open_}\nWhich?\n{options}")


def test_a_grid_that_two_rules_fit_is_refused():
    prompt = (
        "Symbols: 0 1 2 3 4\nBackground: 0\nOne rule.\nBefore:\n1 0 0\n0 0 0\n0 0 1\n"
        "After:\n0 0 1\n0 0 0\n1 0 0\nBefore:\n1 0 0\n0 0 0\n0 0 0\nAfter: what?"
    )
    with pytest.raises(ValueError, match="answers fit"):
        second.solve("grids", prompt)


# -- designs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_items_however_many_are_asked_for(kind):
    few, many = items(kind, 20, 5), items(kind, 40, 5)
    assert few == many[:20]
    assert few != items(kind, 20, 6)
    assert len({item.id for item in many}) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_survives_json(kind):
    for item in items(kind, 12, 1):
        assert Item.from_dict(json.loads(json.dumps(item.to_dict()))) == item


@pytest.mark.parametrize("kind", ["syllogisms", "entailment"])
def test_belief_and_validity_are_fully_crossed_and_share_conclusions(kind):
    made = items(kind, 24 * 6, 2)
    cells = collections.Counter((i.conditions["belief"], i.conditions["validity"]) for i in made)
    assert len(cells) == 6
    assert set(cells.values()) == {24}
    conclusions = collections.defaultdict(list)
    for item in made:
        said = next(line for line in item.prompt.split("\n") if line.startswith("Conclusion"))
        conclusions[item.block, item.conditions["belief"]].append(said)
    assert all(len(both) == 2 and both[0] == both[1] for both in conclusions.values())


def test_all_valid_syllogisms_are_asked_before_one_comes_again():
    made = items("syllogisms", 24 * 6, 3)
    asked = {i.conditions["form"] for i in made if i.conditions["validity"] == "valid"}
    assert len(asked) == 24


def _extensions() -> dict[str, set[str]]:
    """Things that each word of the lists applies to; kinds have members that have no name here."""
    found: dict[str, set[str]] = {}
    for kinds in KINDS_OF_THINGS.values():
        for kind, members in kinds.items():
            found[kind] = {f"{kind}: other"}
            for member in members:
                found[member] = {member}
                found[kind] |= {member}
    return found


def test_conclusions_of_syllogisms_are_as_true_as_their_belief_says():
    extensions = _extensions()
    for item in items("syllogisms", 600, 4):
        s, p = item.metadata["terms"]["S"], item.metadata["terms"]["P"]
        if item.conditions["belief"] == "neutral":
            assert s not in extensions
            continue
        if {s, p} in [set(pair) for pair in OVERLAPPING]:
            one, other = {1, 2}, {2, 3}
        else:
            one, other = extensions[s], extensions[p]
        quantifier = item.conditions["form"][2]
        true = {"A": one <= other, "E": not one & other, "I": one & other, "O": one - other}
        assert bool(true[quantifier]) == (item.conditions["belief"] == "believable"), item.prompt


def test_conclusions_of_entailment_are_as_true_as_their_belief_says():
    facts = {(s, t): True for s, t, _ in OPPOSITES} | {(s, f): False for s, _, f in OPPOSITES}
    kinds = {kind for _, kind in INDIVIDUALS}
    facts |= {(s, kind): kind == own for s, own in INDIVIDUALS for kind in kinds}
    for item in items("entailment", 600, 4):
        subject, predicate = item.metadata["says"]["c"]
        if item.conditions["belief"] == "neutral":
            assert (subject, predicate) not in facts
            continue
        denied = " is not " in item.prompt.split("Conclusion: ")[1]
        believable = facts[subject, predicate] != denied
        assert believable == (item.conditions["belief"] == "believable"), item.prompt


def test_words_have_one_place_in_the_taxonomy():
    words = [w for kinds in KINDS_OF_THINGS.values() for k, ms in kinds.items() for w in (k, *ms)]
    assert len(words) == len(set(words))


def test_selection_tasks_have_two_right_cards_that_matching_finds_in_one_polarity_only():
    found = collections.Counter()
    for item in items("wason", 400, 0):
        rule = next(line for line in item.prompt.split("\n") if line.startswith("Rule"))
        cards = [line.split(": ") for line in item.prompt.split("\n") if line[1:3] == ": "]
        named = [n for n, value in cards if value in rule.removeprefix("Rule: If ")]
        assert len(item.gold.split(", ")) == 2
        if item.conditions["content"] == "familiar":
            found[item.conditions["polarity"], ", ".join(named) == item.gold] += 1
    assert {polarity for polarity, matched in found if matched} == {"if-then-not"}


@pytest.mark.parametrize("kind", ANALOGY_KINDS)
def test_alphabets_of_a_block_show_the_same_problem(kind):
    made = items(kind, 30, 1)
    for block in (made[i : i + 3] for i in range(0, 30, 3)):
        assert [item.conditions["alphabet"] for item in block] == list(ALPHABETS)
        assert len({item.block for item in block}) == 1
        shapes = set()
        for item in block:
            asked = item.prompt.split("\n", 1)[1] if kind != "grids" else item.prompt
            symbols: dict[str, int] = {}
            body = [t.strip("[]") for t in asked.split() if len(t.strip("[]")) == 1]
            shapes.add(tuple(symbols.setdefault(t, len(symbols)) for t in body))
        assert len(shapes) == 1


def test_options_of_a_matrix_alone_say_nothing():
    for item in items("matrices", 300, 0):
        options = [line.split(": ")[1].strip("[]").split() for line in item.prompt.split("\n")[-8:]]
        assert len({tuple(o) for o in options}) == 8
        if item.conditions["rule"] in ("or", "and", "xor"):
            counts = collections.Counter(s for option in options for s in option)
            assert set(counts.values()) <= {4, 8}
        else:
            for place in zip(*options, strict=True):
                assert len(set(collections.Counter(place).values())) == 1


def test_fewer_alphabets_leave_the_others_as_they_are():
    both = items("grids", 10, 0, ("permuted", "usual"))
    assert both == [i for i in items("grids", 15, 0) if i.conditions["alphabet"] != "symbols"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("riddles", 1, 0), "kind"),
        (("wason", 0, 0), "count"),
        (("wason", True, 0), "count"),
        (("wason", 1, -1), "seed"),
        (("grids", 1, 0, ("greek",)), "alphabet"),
        (("grids", 1, 0, ()), "alphabet"),
    ],
)
def test_bad_orders_are_refused(arguments, field):
    with pytest.raises(UserError) as refused:
        items(*arguments)
    assert refused.value.field == field


# -- answers --------------------------------------------------------------------------------------

FORMS_OF_ANSWERS = (
    OneOf(("entailed", "not entailed")),
    SomeOf(("1", "2", "3", "4")),
    Rows(tuple("abc"), 1, 2),
    Rows(tuple("01"), 2, 2),
)


@pytest.mark.parametrize("form", FORMS_OF_ANSWERS)
def test_the_floor_is_one_over_the_number_of_answers(form):
    rng = np.random.default_rng(1)
    drawn = {form.draw(rng) for _ in range(2000)}
    assert form.floor == pytest.approx(1 / len(drawn))
    assert all(form.read(answer) == answer for answer in drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gold_answer_is_read_as_itself(kind):
    for item in items(kind, 60, 0):
        assert item.read(f"Answer: {item.gold}") == item.gold
        assert item.read(f"First I think.\nanswer: {item.gold} ", reasoning=True) == item.gold


@pytest.mark.parametrize(
    ("form", "text", "normal"),
    [
        (FORMS_OF_ANSWERS[0], "Not  Entailed.", "not entailed"),
        (FORMS_OF_ANSWERS[0], "perhaps", None),
        (FORMS_OF_ANSWERS[1], "3 and 1", "1, 3"),
        (FORMS_OF_ANSWERS[1], "1, 1", None),
        (FORMS_OF_ANSWERS[1], "5", None),
        (FORMS_OF_ANSWERS[2], "[A b]", "a b"),
        (FORMS_OF_ANSWERS[2], "ab", "a b"),
        (FORMS_OF_ANSWERS[2], "a ab", "a a b"),
        (FORMS_OF_ANSWERS[2], "a x", None),
        (FORMS_OF_ANSWERS[3], "0 1/1 0", "0 1 / 1 0"),
        (FORMS_OF_ANSWERS[3], "0 1 //", None),
    ],
)
def test_answers_are_normalised(form, text, normal):
    assert form.read(text) == normal


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        ("valid", "not-an-action"),
        ("Answer: maybe", "unknown-value"),
        ("So.\nAnswer: valid", "several-lines"),
        ("Answer: valid" + " " * 30_000, "too-long"),
    ],
)
def test_where_the_form_counts_other_replies_are_malformed(reply, reason):
    assert items("syllogisms", 1, 0)[0].read(reply, strict=True).reason == reason


@pytest.mark.parametrize(
    ("kind", "reply", "answer"),
    [
        ("syllogisms", "valid", "valid"),
        ("syllogisms", "Invalid.", "invalid"),
        ("syllogisms", "**Answer:** valid", "valid"),
        ("syllogisms", "Answer: **invalid**.", "invalid"),
        ("syllogisms", "So.\nAnswer: valid", "valid"),
        ("syllogisms", "Answer: valid\n\nAll are, so some are.", "valid"),
        ("syllogisms", "The answer is invalid.", "invalid"),
        ("syllogisms", "The argument is valid because all are.", "valid"),
        ("syllogisms", "\\boxed{valid}", "valid"),
        ("syllogisms", '{"answer": "invalid"}', "invalid"),
        ("syllogisms", "<think>valid?</think>Answer: invalid", "invalid"),
        ("syllogisms", "At first sight valid. Final answer: invalid", "invalid"),
        ("syllogisms", "valid or invalid", None),
        ("syllogisms", "Answer: valid\nAnswer: invalid", None),
        ("syllogisms", "The argument is not valid.", "invalid"),
        ("syllogisms", "The conclusion does not follow from the premises.", "invalid"),
        ("syllogisms", "So the conclusion follows logically, because all are.", "valid"),
        ("syllogisms", "Does the conclusion follow from the premises?", None),
        ("syllogisms", "If the conclusion follows, all are.", None),
        ("syllogisms", "The conclusion follows. The conclusion does not follow.", None),
        ("syllogisms", "Is it valid?", None),
        ("syllogisms", "Answer: maybe", None),
        ("syllogisms", "<think>Answer: valid</think>", None),
        ("syllogisms", "User: valid", None),
        ("syllogisms", "", None),
        ("entailment", "Not entailed.", "not entailed"),
        ("entailment", "Answer: `entailed`", "entailed"),
        ("entailment", "The conclusion is entailed by the premise.", "entailed"),
        ("entailment", "The conclusion is not entailed by the premises.", "not entailed"),
        ("entailment", "The premises do not entail the conclusion.", "not entailed"),
        ("wason", "The conclusion follows.", None),
        (
            "wason",
            "The answer is that 1, 2, 4 must be turned to find out whether the rule is broken.",
            "1, 2, 4",
        ),
        ("wason", "2, 3 must be turned", "2, 3"),
        ("wason", "2, 3 are enough", None),
        ("wason", "1 and 4, because these can break it", "1, 4"),
        ("wason", "You must turn cards 2 and 3.", "2, 3"),
        ("wason", "The answer is that 1, 2 must not be turned.", None),
        ("wason", "The answer is that 2, 4, 3, 4 must be turned.", None),
    ],
)
def test_an_unmistakable_answer_is_read_in_any_wrapping(kind, reply, answer):
    found = _first(kind).read(reply)
    assert (found if isinstance(found, str) else None) == answer


def test_silence_counts_as_chance_beside_the_share_answered_and_accuracy_among_these():
    made = items("syllogisms", 40, 0)
    said = [f"Answer: {i.gold}" if n % 2 else "Well." for n, i in enumerate(made)]
    rows = [answered(i, reply) for i, reply in zip(made, said, strict=True)]
    assert accuracy(rows).value == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert share_answered(rows).value == 0.5
    assert (among_answered(rows).value, among_answered(rows).n) == (1, 20)
    silent = [answered(i, "Well.") for i in made]
    assert accuracy(silent).value == pytest.approx(0.5)
    assert among_answered(silent).value is None


def test_what_is_the_same_everywhere_has_no_interval_of_a_point():
    made = items("syllogisms", 48, 0)
    constant = [answered(i, "Answer: valid") for i in made]
    effect = paired_content_effects(constant)["syllogisms"]
    assert (effect.value, effect.low, effect.high) == (0, None, None)
    assert "the same in every block" in effect.reason
    silent = accuracy([answered(i, "Well.") for i in made])
    assert (silent.value, silent.low, silent.n) == (0.5, None, 48)
    repeated = [answered(i, "Answer: valid", run=run) for i in made for run in "ab"]
    right = accuracy([row for row in repeated if row.conditions["validity"] == "valid"])
    assert right.value == right.high == 1
    assert 0.8 < right.low < 0.9  # Wilson's: 24 items


@given(st.text(), st.sampled_from(KINDS))
def test_no_reply_makes_reading_fail(text, kind):
    item = _first(kind)
    for reply in (text, f"Answer: {text}"):
        for reasoning in (False, True):
            item.read(reply, reasoning)


_FIRST: dict[str, Item] = {}


def _first(kind: str) -> Item:
    if kind not in _FIRST:
        _FIRST[kind] = items(kind, 1, 0)[0]
    return _FIRST[kind]


@pytest.mark.parametrize("kind", ["syllogisms", "wason", "matrices"])
def test_random_players_reach_the_floor(kind):
    made = items(kind, 600, 0)
    rows = [answered(i, ItemPerformance(i).line("scripted:random", 3)) for i in made]
    floor = made[0].floor
    assert all(not row.malformed for row in rows)
    assert abs(np.mean([row.correct for row in rows]) - floor) < 4 * (floor / 600) ** 0.5


def test_experts_are_right_and_others_say_that_they_cannot():
    for kind in KINDS:
        stage = ItemPerformance(_first(kind))
        assert answered(stage.item, stage.line("scripted:expert", 0)).correct == 1
        row = answered(stage.item, stage.line("bayes:eig", 0))
        assert (row.correct, row.malformed) == (0, 1)


# -- effects --------------------------------------------------------------------------------------


def _believer(item: Item) -> str:
    """Takes for valid what is believed; takes a quarter of the blocks seriously."""
    if int(item.block.rsplit("-", 1)[1]) % 4 == 0:
        return item.gold
    yes, no = item.options
    return yes if item.conditions["belief"] == "believable" else no


def test_the_content_effect_of_a_believer_is_recovered():
    made = items("syllogisms", 240, 0) + items("entailment", 240, 0)
    rows = [answered(item, f"Answer: {_believer(item)}") for item in made]
    for kind, effect in paired_content_effects(rows).items():
        assert effect.value == pytest.approx(0.75), kind
        assert effect.n == 40
        assert effect.low < 0.75 < effect.high
    mixed = content_effect(rows)["syllogisms"].mixed
    name = "consistency: consistent - inconsistent"
    assert mixed.effects[name].value == pytest.approx(0.75, abs=0.01)
    cells = by_cell(rows)
    assert cells["entailment/valid/believable"].value == 1
    assert cells["entailment/valid/unbelievable"].value == pytest.approx(0.25)


def test_the_effect_of_alphabets_is_taken_within_blocks():
    rows = [
        answered(item, f"Answer: {item.gold if item.conditions['alphabet'] == 'usual' else 'a'}")
        for item in items("letter-strings", 90, 0)
    ]
    chance = 1e-5  # at most; what is no answer counts as that
    assert {k: v.value for k, v in alphabet_effects(rows).items()} == {
        "letter-strings/permuted": pytest.approx(1, abs=chance),
        "letter-strings/symbols": pytest.approx(1, abs=chance),
    }


# -- Inspect --------------------------------------------------------------------------------------


def _evaluate(task, model, tmp_path):
    from inspect_ai import eval as evaluate

    (log,) = evaluate(task, model=model, display="none", log_dir=str(tmp_path), log_format="json")
    assert log.status == "success", log.error
    metrics = {}
    for score in log.results.scores:
        metrics |= {f"{score.name}:{k}" if k in metrics else k: m.value
                    for k, m in score.metrics.items()}  # fmt: skip
    return log, metrics


def _mock(reply):
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    def outputs(messages, tools, tool_choice, config):
        output = ModelOutput.from_content("mockllm", reply(messages[-1].text))
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    return get_model("mockllm/model", custom_outputs=outputs, memoize=False)


@pytest.mark.parametrize("kind", CONTENT_KINDS)
def test_whoever_gives_back_the_answer_shown_guesses(kind):
    asked = items(kind, 480, 3)
    said = [item.messages()[-1]["content"].split("\n")[-1] for item in asked]
    assert all(
        isinstance(item.read(line, strict=True), str)
        for item, line in zip(asked, said, strict=True)
    )
    right = sum(i.read(line) == i.gold for i, line in zip(asked, said, strict=True)) / len(asked)
    assert share_as_shown([answered(*both) for both in zip(asked, said, strict=True)]).value == 1
    assert share_as_shown([answered(i, f"Answer: {i.gold}") for i in asked]).value == right
    floor = asked[0].floor
    assert abs(right - floor) < 3 * math.sqrt(floor * (1 - floor) / len(asked))
    rows = [answered(*both) for both in zip(asked, said, strict=True)]
    effect = paired_content_effects(rows).get(kind)
    assert effect is None or kind == "wason" or effect.value == 0


def test_the_answer_shown_does_not_tell_how_long_the_right_one_is():
    for kind in ("letter-strings", "grids"):
        as_long, longer = 0, 0
        for item in (asked := items(kind, 120, 3, ALPHABETS[:2])):
            shown = item.messages()[-1]["content"].split("\n")[-1].removeprefix("Answer: ")
            as_long += len(shown) == len(item.gold)
            longer += len(shown) > len(item.gold)
        assert as_long < len(asked) / 2
        assert longer or kind == "grids"


def test_content_effects_run_through_inspect(tmp_path):
    pytest.importorskip("inspect_ai")
    from inspect_ai.log import EvalLog

    from seedo.language import inspect_tasks

    every = (i for kind in CONTENT_KINDS for i in items(kind, 24, 0))
    known = {i.messages()[-1]["content"]: i for i in every}

    def reply(prompt):
        item = known[prompt]
        return "I think so" if item.kind == "wason" else f"Answer: {_believer(item)}"

    log, metrics = _evaluate(inspect_tasks.content_effects(count=24), _mock(reply), tmp_path)
    assert isinstance(log, EvalLog)
    assert metrics["content_effect/syllogisms"] == pytest.approx(0.75)
    assert metrics["syllogisms/valid/believable"] == 1
    assert metrics["wason/social"] == pytest.approx(1 / 15)  # nothing was answered: chance
    assert metrics["answered/wason/social"] == metrics["as_shown/wason"] == 0
    assert metrics["among_answered/syllogisms/valid/believable"] == 1
    assert metrics["random_floor/wason"] == pytest.approx(1 / 15)
    rows = list(inspect_tasks.item_rows(log))
    assert sum(row.malformed for row in rows) == 24
    effects = inspect_tasks.content_effect(log)
    assert effects == inspect_tasks.content_effect(rows)
    assert effects["entailment"].paired.value == pytest.approx(0.75)


def test_analogies_run_through_inspect_and_hostile_replies_are_counted(tmp_path):
    pytest.importorskip("inspect_ai")
    from seedo.language import inspect_tasks

    every = (i for kind in ANALOGY_KINDS for i in items(kind, 6, 0, ALPHABETS[:2]))
    known = {i.messages(reasoning=True)[-1]["content"]: i for i in every}

    def reply(prompt):
        item = known[prompt]
        if item.kind == "grids":
            return "Answer: __import__('os') \u202e" * 3000
        return f"Let me see.\nAnswer: {item.gold}"

    task = inspect_tasks.analogies(count=6, reasoning=True)
    log, metrics = _evaluate(task, _mock(reply), tmp_path)
    assert metrics["letter-strings/permuted"] == 1
    assert metrics["grids/usual"] < 1e-3  # chance
    assert metrics["answered/grids/usual"] == 0
    assert metrics["usual_less_other/matrices/permuted"] == 0
    assert sum(row.malformed for row in inspect_tasks.item_rows(log)) == 6


@pytest.mark.parametrize(
    ("player", "right", "malformed"),
    [("scripted:expert", 1, 0), ("bayes:eig", 0, 1), ("follower", None, None)],
)
def test_our_own_players_run_through_the_tasks(player, right, malformed, tmp_path):
    pytest.importorskip("inspect_ai")
    from seedo.language import inspect_tasks

    for task in (
        inspect_tasks.content_effects(count=4),
        inspect_tasks.analogies("grids", 4, alphabet="all"),
    ):
        log, _ = _evaluate(task, f"seedo/{player}", tmp_path)
        rows = list(inspect_tasks.item_rows(log))
        assert len(rows) == len(log.samples)
        if right is not None:
            assert {row.correct for row in rows} == {right}
            assert {row.malformed for row in rows} == {malformed}


def test_epochs_are_runs(tmp_path):
    pytest.importorskip("inspect_ai")
    from inspect_ai import eval as evaluate

    from seedo.language import inspect_tasks

    task = inspect_tasks.content_effects("syllogisms", count=12)
    (log,) = evaluate(
        task, model="seedo/scripted:random", epochs=2, display="none", log_dir=str(tmp_path)
    )
    assert log.status == "success"
    rows = list(inspect_tasks.item_rows(log))
    assert collections.Counter(row.run for row in rows) == {"1": 12, "2": 12}
    assert by_cell(rows)["syllogisms/valid/neutral"].n == 2
    assert inspect_tasks.content_effect(log)["syllogisms"].paired.n == 2


def test_tasks_refuse_kinds_and_alphabets_that_there_are_not():
    pytest.importorskip("inspect_ai")
    from seedo.language import inspect_tasks

    for call, field in (
        (lambda: inspect_tasks.content_effects("grids"), "kinds"),
        (lambda: inspect_tasks.analogies("wason"), "kinds"),
        (lambda: inspect_tasks.analogies(alphabet="greek"), "alphabet"),
    ):
        with pytest.raises(UserError) as refused:
            call()
        assert refused.value.field == field
