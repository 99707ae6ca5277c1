"""Model cards: whole, honest about what is unknown, and safe whatever a model has replied."""

from __future__ import annotations

import html
import re
import shutil
from importlib import resources

import pytest
from markdown_it import MarkdownIt

from command import run as command
from seedo import evaluation, play, reports, worlds
from seedo.episodes import Dataset, write_batch
from seedo.errors import UserError
from seedo.language import Conditions
from seedo.language.runs import record_speaker

EVIL = "<script>alert('x')</script> ~~~ ``` |a|b| [x](http://evil.example) \u202eevil"


class Wild:
    """At its first step everything that is malformed; then it sets what comes first."""

    name = "wild <b>[bold] | `m`"

    def replies(self, conversations):
        return [self._reply(c) for c in conversations]

    def _reply(self, messages):
        goal = messages[-1]["content"].partition("Goal: ")[2].split("\n")[0]
        names = [n for n in messages[1]["content"].split("\n")[0].split()[1:] if n != goal]
        said = sum(m["role"] == "assistant" for m in messages)
        first = [EVIL, f"do {names[0]}=2.0 and do {names[1]}=2.0", "do nobody=2.0"]
        return first[said] if said < 3 else f"`do {names[0]}=2.0`"


@pytest.fixture(scope="module")
def review(tmp_path_factory):
    folder, world = tmp_path_factory.mktemp("runs"), worlds.make("dag", n=3)
    record_speaker(world, Wild(), 3, 0, folder / "wild", conditions=Conditions(decimals=2))
    play.perform(world, play.find_player("scripted:random", world), 4, 0, folder / "random")
    return evaluation.review([folder / "random", folder / "wild"])


def test_a_page_is_one_file_in_which_nothing_of_a_model_is_markup(review, tmp_path):
    reports.write_card(review, tmp_path / "deep" / "card.html", ["seedo", "review", "<run>"])
    page = (tmp_path / "deep" / "card.html").read_text()
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "card.html"]
    assert "<script" not in page
    assert html.escape(EVIL, quote=False).replace("'", "&#39;") in page
    assert not re.findall(r'(?:src|href)\s*=\s*"(?!#)', page)
    for kind in ("ambiguous", "illegal", "none", "repaired"):
        assert f"read as <b>{kind}</b>" in page
    assert page.index("wild") < page.index("random")  # who speaks comes first
    assert "seedo review &#39;&lt;run&gt;&#39;" in page


def test_markdown_holds_replies_in_blocks_that_they_cannot_leave(review, tmp_path):
    reports.write_card(review, tmp_path / "card.md")
    tokens = (
        MarkdownIt("commonmark", {"linkify": False})
        .enable("table")
        .parse((tmp_path / "card.md").read_text())
    )
    blocks = [t.content for t in tokens if t.type == "fence"]
    assert EVIL.replace("\u202e", "\\u202e") + "\n" in blocks
    inline = [child for t in tokens if t.type == "inline" for child in t.children]
    assert {t.type for t in inline} <= {"text", "softbreak", "strong_open", "strong_close"}
    assert not [t for t in tokens if t.type == "html_block"]
    rows = [t for t in tokens if t.type in ("tr_open", "th_open", "td_open")]
    cells, counts = 0, []
    for token in [*rows, None]:
        if token is None or token.type == "tr_open":
            counts.append(cells)
            cells = 0
        else:
            cells += 1
    assert min(counts[1:]) >= 2
    said = "".join(t.content for t in inline)
    assert "wild <b>[bold] | `m`" in said


def test_a_card_tells_what_is_not_known_and_how_to_play_again(review):
    text = reports.markdown(reports.card_of(review))
    plain = text.replace("\\", "")
    for line in (
        "| parameters | not recorded |",
        "| decimals | 2 |",
        "- tokens were not counted",
        "- no price was given: money is not known",
        "add --bits",
        "(--prompt structure asks)",
        "only 3 episodes",
    ):
        assert line in plain, line
    assert "--prompt decimals=2 --episodes 3 --seed 0" in text
    sized = reports.markdown(reports.card_of(review, size=lambda name: 135e6))
    assert "about 135 million" in sized


def test_a_card_of_a_text_understudy_tells_its_size_and_where_it_lies(tmp_path, capsys):
    agent = tmp_path / "deep" / "own"
    shutil.copytree(resources.files("seedo") / "pretrained" / "dag-text", agent)
    for name, player in (("shipped", "pretrained:dag-text"), ("own", str(agent))):
        record_speaker(worlds.make("dag", n=3), Wild(), 1, 0, tmp_path / name, name=player)
        code, _, _ = command(
            capsys, "review", str(tmp_path / name), "--card", str(tmp_path / f"{name}.md")
        )
        assert code == 0
        card = (tmp_path / f"{name}.md").read_text().replace("\\", "")
        assert "| parameters | about 0.868 million" in card
        assert "how many parameters" not in card
        assert f"seedo perform {player} " in card


def test_a_card_shows_the_figures_of_the_table(review):
    (group,) = review.groups
    plain = reports.markdown(reports.card_of(review)).replace("\\", "")
    speaker = next(row for row in group.rows if row.label == Wild.name)
    for name in ("return_ratio", "exploit_regret"):
        figure = speaker.less[name]
        assert f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]" in plain
    # Three of six replies of an episode are malformed, and one step of three passes.
    assert speaker.figures["malformed"].value == pytest.approx(3 / 6)
    assert speaker.figures["explore_passed"].value == pytest.approx(1 / 3)
    malformed = speaker.figures["malformed"]
    assert malformed.low < 0.5 < malformed.high
    assert f"50.0% [{malformed.low:.1%}, {malformed.high:.1%}]" in plain
    assert "| as is usual here |" in plain


def test_a_card_tells_how_examples_were_chosen(review, tmp_path):
    chosen = {"stream": "validation", "episodes": 4, "candidates": [[0, 1], [2, 3]],
              "returns": [0.25, None], "tokens": [9, 9]}  # fmt: skip
    job = {
        "task": "perform", "player": "llm:any/small-1B", "conditions": {"examples": 2},
        "examples": {"indices": [2, 3], "player": "scripted:expert", "seed": 0}, "chosen": chosen,
    }  # fmt: skip
    log = next(run.path for run in review.runs if run.agent == "random")
    write_batch(tmp_path / "run", Dataset(log).read(), job)
    plain = reports.markdown(reports.card_of(evaluation.review([tmp_path / "run"])))
    plain = plain.replace("\\", "")
    assert "4 episodes of stream validation: 0 1 earned 0.25; 2 3 earned nothing known" in plain
    assert "episodes 2, 3 of stream `examples`, by scripted:expert, seed 0" in plain
    assert " --examples 2,3 " in plain


@pytest.mark.parametrize(
    ("job", "typed"),
    [({"task": "perform", "stream": "validation"}, ""),
     ({"task": "serve-mcp", "player": "mcp:me"}, "seedo serve-mcp --name me --world dag"),
     ({"task": "serve-mcp", "player": "mcp:me", "stream": "x"}, "--name me --stream x --world")],
)  # fmt: skip
def test_only_what_plays_the_same_systems_again_is_told(review, tmp_path, job, typed):
    log = next(run.path for run in review.runs if run.agent == "random")
    write_batch(tmp_path / "run", Dataset(log).read(), job)
    (run,) = evaluation.review([tmp_path / "run"]).runs
    assert typed in run.command
    assert bool(run.command) == bool(typed)


def test_a_speaker_whose_conversations_are_damaged_is_not_told_as_one_of_numbers(review, tmp_path):
    (wild,) = (run for run in review.runs if run.spoken is not None)
    shutil.copytree(wild.path, tmp_path / "cut")
    said = tmp_path / "cut" / "conversations.jsonl"
    said.write_bytes(said.read_bytes()[:500])
    found = evaluation.review([tmp_path / "cut"])
    assert "conversations.jsonl line 1" in found.problems[0]
    plain = reports.markdown(reports.card_of(found))
    assert "its conversations cannot be read" in plain
    assert "acts in numbers" not in plain
    assert "does not speak" not in plain


def test_other_endings_are_refused_in_one_line(review, tmp_path, capsys):
    with pytest.raises(UserError, match=r"\.html or \.md"):
        reports.write_card(review, tmp_path / "card.pdf")
    code, _, err = command(capsys, "review", str(tmp_path), "--card", "card.pdf")
    assert (code, err.count("\n")) == (2, 1)
