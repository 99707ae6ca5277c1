"""A study in several languages: by link, by lot, by setting; what is missing is named."""

import re
import tomllib

import pytest

from command import run
from lab_design import STUDY, Design
from lab_server import running
from lab_taking import go_on
from seedo.errors import UserError
from seedo.lab.study import StudyConfig
from seedo.lab.study._words import english, holes, known, shipped

QUESTION = """
[[question]]
id = "sure"
text = "How sure are you?"
kind = "choice"
options = ["very", "not very"]

[attention]
checks = 1
"""
OFFERED = """
[language]
default = "en"
offered = ["en", "de"]
"""
GERMAN = """
[[text]]
language = "de"
title = "Eine eigene Studie"
consent-text = "Sind Sie einverstanden?"
instructions-text = "Finden Sie es heraus."
end-text = "Danke fürs Mitmachen."
question-sure = "Wie sicher sind Sie?"
question-sure_1 = "sehr"
question-sure_2 = "nicht sehr"
"""
BOTH = STUDY + QUESTION + OFFERED + GERMAN
BY_LOT = (
    BOTH.replace('offered = ["en", "de"]', "")
    + """
[[factor]]
name = "language"
levels = ["de", "en"]
"""
)


def whole_way(browser, view):
    """To the questions at the end; all screens on the way."""
    seen = [view]
    while view["screen"] != "questions":
        if view["screen"] == "check":
            body = {"item": view["item"], "target": 0, "value": view["values"][0][0]}
            view = browser.post("check", body).json()["view"]
        else:
            view = browser.choose(view).json()["view"]
        seen.append(view)
    return seen


def test_a_link_asks_for_a_language_and_the_answers_stay_those_of_the_file(tmp_path):
    made = Design(tmp_path, BOTH)
    for asked, title in (({"lang": "de"}, "Eine eigene Studie"), ({}, "A study"),
                         ({"lang": "fr"}, "A study")):  # fmt: skip
        browser = made.browser(**asked)
        assert f"<h1>{title}</h1>" in browser.page
        language = "de" if title.startswith("Eine") else "en"
        assert f'<html lang="{language}">' in browser.page
        view = browser.join()
        assert view["language"] == language
        seen = whole_way(browser, browser.post("ready").json())
        said = next(v for v in seen if v["screen"] == "check")["asked"]
        assert ("Stellen Sie die Größe" in said) == (language == "de")
        (question,) = seen[-1]["questions"]
        assert question["options"] == ["very", "not very"]
        if language == "de":
            assert question["labels"] == ["sehr", "nicht sehr"]
            made.open()  # and after a restart
            assert browser.view()["language"] == "de"
            assert '<html lang="de">' in browser.http.get("/take/design").text
        ended = browser.post("answers", {"answers": {"sure": "very"}}).json()["view"]
        thanks = "Danke fürs Mitmachen." if language == "de" else "Thank you for taking part."
        assert ended["text"] == thanks
    people = [(row["language"], row["sure"]) for row in made.rows("participants.csv")]
    assert people == [("de", "very"), ("en", "very"), ("en", "very")]


def test_a_factor_gives_languages_by_lot(tmp_path):
    made = Design(tmp_path, BY_LOT)
    for _ in range(4):
        browser = made.browser(lang="de")  # offered to nobody here
        assert '<html lang="en">' in browser.page
        view = browser.join()
        (person,) = made.store.participants()[-1:]
        assert person.condition == f"language={view['language']}"
    people = [(row["condition"], row["language"]) for row in made.rows("participants.csv")]
    assert sorted(people) == [("language=de", "de")] * 2 + [("language=en", "en")] * 2


def test_names_and_units_of_a_wording_are_those_of_the_language_in_the_data_too(tmp_path):
    named = "\n".join(f'[[wording.variable]]\nname = "{n}"\nunit = "cm"' for n in ("a", "b", "c"))
    german = "\n".join(f'wording-w_{i} = "{n}"' for i, n in enumerate(("ä", "ö", "ü"), 1))
    wording = '\n[[wording]]\nid = "w"\n' + named
    made = Design(tmp_path, STUDY + QUESTION + OFFERED + wording + GERMAN + german)
    for asked, names in (({"lang": "de"}, ["ä", "ö", "ü"]), ({}, ["a", "b", "c"])):
        browser = made.browser(**asked)
        seen = whole_way(browser, browser.start())
        view = next(v for v in seen if v["screen"] == "task")
        assert (view["names"], view["units"]) == (names, ["cm"] * 3)
    assert {row["shown_variable"] for row in made.rows("steps.csv")} <= set("abcäöü")
    assert {row["shown_variable"] for row in made.rows("steps.csv")} & set("äöü")


def test_what_nobody_has_translated_is_printed_to_translate_and_then_nothing_lacks(
    tmp_path, capsys
):
    file = tmp_path / "design.toml"
    file.write_text(STUDY + QUESTION)
    code, text, _ = run(capsys, "lab", "texts", str(file), "--language", "fr")
    assert code == 0
    (table,) = tomllib.loads(text)["text"]
    assert table["consent-text"] == "Do you agree?"
    assert "consent-yes" in table
    offered = '\n[language]\noffered = ["fr"]\n'
    file.write_text(STUDY + QUESTION + offered + text)
    assert StudyConfig.load(file).languages == ("en", "fr")
    code, none, said = run(capsys, "lab", "texts", str(file), "--language", "fr")
    assert (code, none, said) == (0, "", "nothing is lacking in 'fr'\n")
    file.write_text(STUDY + QUESTION + offered)  # which lacks all of it
    assert run(capsys, "lab", "texts", str(file), "--language", "fr")[:2] == (0, text)
    lacking = re.sub("^consent-yes = .*\n", "", text, flags=re.MULTILINE)
    file.write_text(STUDY + QUESTION + offered + lacking)
    with pytest.raises(UserError, match="text fr: missing: got 'consent-yes'"):
        StudyConfig.load(file)
    for asked in (
        offered + lacking,
        '\n[[factor]]\nname = "language"\nlevels = ["en", "fr"]\n'
        '\n[plan]\nfactor = "language"\ndifference = 0.1\n' + lacking,
    ):
        file.write_text(STUDY + QUESTION + asked)
        code, rest, _ = run(capsys, "lab", "texts", str(file), "--language", "fr")
        assert code == 0
        assert tomllib.loads(rest)["text"][0].keys() == {"language", "consent-yes"}
    # One's own words for what the lab says, in the language of the file.
    own = '\n[[text]]\nlanguage = "en"\nconsent-yes = "Count me in"\n'
    config = StudyConfig.from_text(STUDY + own)
    assert config.spoken.words("en")["consent-yes"] == "Count me in"
    assert StudyConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('offered = ["en", "de"]', 'offered = ["de", "fr"]', "text fr: missing"),
        ('offered = ["en", "de"]', 'offered = ["English"]', "language.offered"),
        ('offered = ["en", "de"]', "offered = 3", "language.offered"),
        ('offered = ["en", "de"]', "", "text.language: got 'de'"),
        ('title = "Eine eigene Studie"\n', "", "text de: missing: got 'title'"),
        ('title = "Eine eigene Studie"', 'titel = "x"', "text de: unknown key: got 'titel'"),
        ('title = "Eine eigene Studie"', "title = 3", "text de: title"),
        ('title = "Eine eigene Studie"', 'title = "x\\u202e"', "got 'U+202E'"),
        ("Eine eigene Studie\"", 'x"\nset = "Setze {nam}"', "text de: set: got 'Setze {nam}'"),
        ("[language]", '[[factor]]\nname = "names"\nlevels = ["letters", "familiar"]\n\n[language]',
         "such names are English"),
        (GERMAN, GERMAN + GERMAN, "one [[text]] for a language"),
        (GERMAN, GERMAN + '[[text]]\nlanguage = "en"\ntitle = "x"\n', "leave it out"),
    ],
)  # fmt: skip
def test_what_is_missing_or_too_much_is_named_in_one_line(old, new, said):
    assert old in BOTH
    with pytest.raises(UserError) as caught:
        StudyConfig.from_text(BOTH.replace(old, new, 1))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_without_languages_is_what_it_was():
    assert {"language", "text"}.isdisjoint(StudyConfig.from_text(STUDY).to_json())


def test_the_page_speaks_german_all_the_way(tmp_path, visit):
    (tmp_path / "design.toml").write_text(BY_LOT.replace('levels = ["de", "en"]',
                                                         'levels = ["de", "de-AT"]')
                                          + GERMAN.replace('"de"', '"de-AT"'))  # fmt: skip
    with running(tmp_path / "lab", study=tmp_path / "design.toml") as address:
        page = visit(f"{address}/take/design")
        page.get_by_role("button", name="I agree and take part").click()
        # Of another language from here on, as the lot fell.
        page.get_by_role("heading", name="Was Sie tun").wait_for()
        assert page.evaluate("document.documentElement.lang").startswith("de")
        go_on(page, "Danke fürs Mitmachen.")
        shown = page.locator("body").inner_text()
        assert not re.search(r"\b(the|your|Task|Withdraw|Copy|code to)\b", shown), shown


def test_every_language_of_the_lab_says_everything_and_fills_in_the_same():
    assert {"de", "en"} <= set(shipped())
    for language in shipped():
        said = known(language)
        assert list(said) == list(english())
        for key, sentence in said.items():
            assert holes(sentence) == holes(english()[key]), (language, key)
