"""`seedo ask` and `seedo advise` as a user meets them, with good input and with bad."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from command import run
from seedo import experimenters, play, worlds

NAMES = ("X", "Y", "<script>")


def rows() -> tuple[list[str], np.ndarray]:
    """What was done, and rows of X -> Y -> <script>."""
    rng = np.random.default_rng(0)
    did = ["-"] * 60 + ["X"] * 12 + ["Y"] * 12
    x = np.where(np.array(did) == "X", rng.choice([-2.0, 2.0], 84), rng.normal(size=84))
    y = np.where(np.array(did) == "Y", 1.5, 1.2 * x + 0.5 * rng.normal(size=84))
    return did, np.c_[x, y, 0.9 * y + 0.5 * rng.normal(size=84)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The same rows as CSV, TSV.gz and Parquet; a log; files that are no good."""
    path = tmp_path_factory.mktemp("questions")
    did, values = rows()
    lines = [
        (*NAMES, "did"),
        *((*map(repr, map(float, v)), d) for v, d in zip(values, did, strict=True)),
    ]
    with open(path / "mine.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    with gzip.open(path / "mine.tsv.gz", "wt", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(lines)
    columns = {name: values[:, k] for k, name in enumerate(NAMES)} | {"did": did}
    pyarrow.parquet.write_table(pyarrow.table(columns), path / "mine.parquet")
    world = worlds.make("dag", n=3)
    play.watch(world, experimenters.scripted("random"), 16, 0, path / "logs")
    (path / "empty.csv").write_text("")
    (path / "header.csv").write_text("X,Y\n")
    (path / "words.csv").write_text("X,Y\n1,2\n3,high\n5,6\n7,8\n")
    (path / "one.csv").write_text("X\n1\n2\n3\n4\n")
    (path / "few.csv").write_text("X,Y\n1,2\n3,5\n")
    (path / "wide.csv").write_text("X,Y\n1,2\n3,4,5\n6,7\n")
    (path / "binary.csv").write_bytes(bytes(range(256)))
    (path / "fake.parquet").write_text("not a table")
    (path / "notes.txt").write_text("hello")
    (path / "cycle.txt").write_text("X -> Y\nY -> X\n")
    (path / "short.txt").write_text("X -> Y\n")
    (path / "hidden.txt").write_text("X -> Y, X <-> Y, Y -> <script>\n")
    (path / "targets.csv").write_text("rows,targets\n1-3,Q\n")
    (path / "afolder").mkdir()
    shutil.copytree(path / "logs", path / "broken")
    for shard in (path / "broken").glob("*.parquet"):
        shard.write_bytes(shard.read_bytes()[:200])
    return path


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv.gz", "mine.parquet"])
def test_the_same_rows_give_the_same_answer_in_every_format(name, folder, capsys):
    code, out, err = run(capsys, "ask", str(folder / name), "effect of X on Y", "--targets", "did",
                         "--json", "--draws", "500")  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["low"] < 1.2 < found["high"]
    assert found["rests_on"].startswith("12 rows that set X, beside 60 in which it was observed")
    once, _, _ = (found[k] for k in ("value", "low", "high"))
    code, out, _ = run(capsys, "ask", str(folder / "mine.csv"), "effect of X on Y", "--targets",
                       "did", "--json", "--draws", "500")  # fmt: skip
    assert json.loads(out)["value"] == pytest.approx(once, rel=1e-9)


def test_an_answer_is_a_sentence_with_what_it_rests_on_and_assumes(folder, capsys):
    code, out, err = run(capsys, "ask", str(folder / "mine.csv"), "does X cause Y?",
                         "--targets", "did")  # fmt: skip
    assert (code, err) == (0, "mine.csv: 84 rows of X real; Y real; <script> real\n")
    assert out.startswith("yes: P(X causes Y) = 1.000; from -2 to 2 it changes by 5.36 [")
    assert "rests on: 12 rows that set X" in out
    assert "assumes: X was set without regard to what else moves Y" in out


def test_a_refusal_is_an_answer(folder, capsys):
    code, out, _ = run(capsys, "ask", str(folder / "mine.csv"), "effect of X on Y",
                       "--drop", "did")  # fmt: skip
    assert code == 0
    assert out.startswith("Not answered: the effect of X on Y is not identified")


def test_stated_edges_and_a_graph_file_lift_a_refusal(folder, capsys, tmp_path):
    graph = tmp_path / "graph.txt"
    graph.write_text("X -> Y\nY -> <script>\n")
    whole = [str(folder / "mine.csv"), "effect of X on Y", "--drop", "did", "--json"]
    for words in (
        ["--require", "X->Y", "--require", "Y-><script>"],
        ["--forbid", "Y->X", "--forbid", "<script>->Y"],
        ["--graph", str(graph)],
    ):
        code, out, err = run(capsys, "ask", *whole, *words)
        assert code == 0, err
        assert json.loads(out)["refused"] == "", words


def test_a_log_is_asked_about_an_episode(folder, capsys):
    by_option = run(capsys, "ask", str(folder / "logs"), "effect of A on B", "--episode", "3",
                    "--json")  # fmt: skip
    assert by_option[0] == 0
    assert "4 rows" in json.loads(by_option[1])["rests_on"]
    code, out, _ = run(capsys, "ask", str(folder / "logs"),
                       "what would C have been had A been 2 in episode 3?", "--json")  # fmt: skip
    assert code == 0
    assert json.loads(out)["rung"] == 3


def test_the_same_seed_gives_the_same_bytes(folder, capsys):
    question = "what would Y have been had X been 2 in row 0?"
    words = ["ask", str(folder / "mine.csv"), question, "--targets", "did", "--json"]
    one, two, other = (run(capsys, *words, "--seed", s) for s in ("1", "1", "2"))
    assert one == two
    assert one[1] != other[1]


LOADS = re.compile(
    r"""(?:src|href|action|data|poster)\s*=\s*["']?(?!\#)|url\((?!["']?\#)|@import"""
)


def assert_self_contained(page: str) -> None:
    """One file that loads nothing; an XML namespace is a name, not a load."""
    assert page.startswith("<!doctype html>")
    assert not LOADS.search(page), LOADS.search(page)
    assert "<script" not in page
    rest = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    rest = re.sub(r"<metadata>.*?</metadata>", "", rest, flags=re.DOTALL)
    assert not re.search(r"https?://", rest.replace("http://www.w3.org/", ""))


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv.gz", "mine.parquet"])
def test_advice_is_a_report_in_one_file_and_figures_on_stdout(name, folder, capsys, tmp_path):
    report = tmp_path / "new" / "advice.html"
    code, out, err = run(
        capsys, "advise", str(folder / name), "--targets", "did", "--goal", "maximize <script>",
        "--budget", "2", "--out", str(report), "--draws", "300", "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert found["best_action"]["target"] in ("X", "Y")
    assert {"X", "Y"} <= {c["cause"] for c in found["causes"]}
    assert len(found["experiments"]) <= 2
    page = report.read_text()
    assert_self_contained(page)
    assert "&lt;script&gt;" in page
    assert page.count("<svg") == 1
    assert [p.name for p in report.parent.iterdir()] == ["advice.html"]


def test_advice_is_a_table_without_json(folder, capsys, tmp_path):
    code, out, err = run(
        capsys, "advise", str(folder / "mine.csv"), "--drop", "did", "--draws", "300",
        "--out", str(tmp_path / "a[b].html"), "--cost", "X=3", "--values", "Y=0,1.5",
        "--can-set", "X", "--can-set", "Y",
    )  # fmt: skip
    assert code == 0
    assert "next experiment" in out
    assert "do(" in out
    assert "a[b].html" in err.replace("\n", "")
    page = (tmp_path / "a[b].html").read_text()
    assert_self_contained(page)
    assert "do(&lt;script&gt; =" not in page


def test_advice_about_an_episode_of_a_log(folder, capsys, tmp_path):
    code, out, _ = run(capsys, "advise", str(folder / "logs"), "--episode", "2", "--json",
                       "--goal", "minimize C", "--out", str(tmp_path / "a.html"))  # fmt: skip
    assert code == 0
    assert json.loads(out)["variables"] == ["A", "B", "C"]


def test_names_from_anywhere_are_shown_as_they_are(capsys, tmp_path):
    """Mathematics, markup and quotes in names are text."""
    names = ["$\\alpha$", "[bold]b", "a&b", 'q"t', "it's"]
    rng = np.random.default_rng(0)
    table = tmp_path / "mine.csv"
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows([names, *rng.normal(size=(40, 5)).round(4).tolist()])
    report = tmp_path / "advice.html"
    code, out, err = run(capsys, "advise", str(table), "--out", str(report), "--draws", "200",
                         "--quiet")  # fmt: skip
    assert (code, err.replace("\n", "")) == (0, f"report in {report}")
    page = report.read_text()
    assert_self_contained(page)
    assert "a&amp;b" in page
    code, out, err = run(capsys, "advise", str(table), "--out", str(report), "--draws", "200",
                         "--goal", "raise [bold]b")  # fmt: skip
    assert "[bold]b" in out
    code, out, _ = run(capsys, "ask", str(table), 'what causes "[bold]b"?')
    assert code == 0
    assert "causes of [bold]b" in out


TABLE = ["MINE", "--targets", "did"]
ASK = ["ask", "MINE", "effect of X on Y", "--targets", "did"]
ADVISE = ["advise", *TABLE, "--out", "OUT"]
BAD: list[tuple[list[str], str]] = [
    (["ask", "MINE"], "question"),
    (["ask", "MINE", "", "--targets", "did"], "question"),
    (["ask", "MINE", "why is the sky blue", "--targets", "did"], "question"),
    (["ask", "MINE", "effect of X on Q", "--targets", "did"], "question"),
    (["ask", "MINE", "effect of X on X", "--targets", "did"], "question"),
    (["ask", "MINE", "P(Y > nan)", "--targets", "did"], "question"),
    (["ask", "MINE", "P(2 < Y < 1)", "--targets", "did"], "question"),
    (["ask", "MINE", "E[Y | do(X = 1e308)]", "--targets", "did"], "question"),
    ([*ADVISE, "--values", "X=1e308"], "values X"),
    (["ask", "MINE", "what would Y have been had X been 2 in row 999?", "--targets", "did"], "row"),
    (["ask", "MINE", "what would Y have been had X been 2 in episode 999?", "--targets", "did"],
     "episode"),
    (["ask", "NOTHING", "effect of X on Y"], "NOTHING"),
    (["ask", "DIR/empty.csv", "effect of X on Y"], "DIR/empty.csv"),
    (["ask", "DIR/header.csv", "effect of X on Y"], ""),
    (["ask", "DIR/words.csv", "effect of X on Y"], "DIR/words.csv row 3, column Y"),
    (["ask", "DIR/one.csv", "effect of X on Y"], ""),
    (["ask", "DIR/few.csv", "effect of X on Y"], ""),
    (["ask", "DIR/wide.csv", "effect of X on Y"], "DIR/wide.csv"),
    (["ask", "DIR/binary.csv", "effect of X on Y"], "DIR/binary.csv"),
    (["ask", "DIR/fake.parquet", "effect of X on Y"], "DIR/fake.parquet"),
    (["ask", "DIR/notes.txt", "effect of X on Y"], "DIR/notes.txt"),
    (["ask", "DIR/afolder", "effect of X on Y"], "DIR/afolder"),
    (["ask", "MINE", "effect of X on Y", "--targets", "done"], ""),
    (["ask", "MINE", "effect of X on Y", "--targets", "X"], ""),
    (["ask", "MINE", "effect of X on Y", "--targets", "DIR/targets.csv", "--drop", "did"],
     "DIR/targets.csv"),
    ([*ASK, "--sources", "lab"], ""),
    ([*ASK, "--drop", "lab"], ""),
    ([*ASK, "--keep", "lab"], ""),
    ([*ASK, "--episode", "3"], "--episode"),
    ([*ASK, "--draws", "10"], "--draws"),
    ([*ASK, "--draws", "1000000"], "--draws"),
    ([*ASK, "--seed", "-1"], "seed"),
    ([*ASK, "--max-parents", "-1"], "max_parents"),
    ([*ASK, "--require", "X"], "--require"),
    ([*ASK, "--require", "X->Q"], "required edge"),
    ([*ASK, "--require", "X->X"], "required edge"),
    ([*ASK, "--require", "X->Y", "--require", "Y->X"], "required edges"),
    ([*ASK, "--require", "X->Y", "--require", "X->Y"], "required edge"),
    ([*ASK, "--require", "X->Y", "--forbid", "X->Y"], ""),
    ([*ASK, "--require", "X->Y", "--max-parents", "0"], "max_parents"),
    ([*ASK, "--forbid", "->"], "--forbid"),
    ([*ASK, "--believe", "X->Y"], "--believe"),
    ([*ASK, "--believe", "X->Y=2"], "edge X->Y"),
    ([*ASK, "--believe", "X->Y=nan"], "edge X->Y"),
    ([*ASK, "--believe", "X->Y=likely"], "--believe"),
    ([*ASK, "--believe", "X->Y=0.2,0.3"], "--believe"),
    ([*ASK, "--believe", "X->Y=0.2", "--believe", "X->Y=0.9"], ""),
    ([*ASK, "--nonlinear", "--linear"], "--linear"),
    (["ask", "MINE", "what causes Y?", "--targets", "did", "--nonlinear"], "--nonlinear"),
    ([*ASK, "--graph", "NOTHING"], ""),
    ([*ASK, "--graph", "DIR/cycle.txt"], ""),
    ([*ASK, "--graph", "DIR/short.txt", "--require", "X->Y"], "--graph"),
    (["ask", "MINE", "what causes Y?", "--targets", "did", "--graph", "DIR/hidden.txt"],
     "question"),
    ([*ADVISE, "--graph", "DIR/hidden.txt"], "graph"),
    ([*ADVISE, "--graph", "DIR/short.txt"], "graph"),
    (["ask", "LOGS", "effect of A on B"], "episode"),
    (["ask", "LOGS", "effect of A on B", "--episode", "999"], "episode"),
    (["ask", "LOGS", "effect of A on B", "--episode", "1", "--targets", "A"], "--targets"),
    (["ask", "LOGS", "effect of A on B", "--episode", "1", "--drop", "A"], "--drop"),
    (["ask", "LOGS", "effect of A on B", "--episode", "1", "--sources", "A"], "--sources"),
    (["ask", "LOGS", "what would A have been had B been 1 in episode 77?"], "episode"),
    (["ask", "DIR/broken", "effect of A on B", "--episode", "1"], ""),
    ([*ADVISE, "--goal", "Y"], "goal"),
    ([*ADVISE, "--goal", "maximize"], "goal"),
    ([*ADVISE, "--goal", "maximize Q"], "goal"),
    ([*ADVISE, "--goal", "improve Y"], "goal"),
    ([*ADVISE, "--budget", "many"], "--budget: got 'many'; give a whole number"),
    ([*ADVISE, "--colour", "red"], "No such option"),
    (["advise"], "Missing argument"),
    ([*ADVISE, "--budget", "0"], "budget"),
    ([*ADVISE, "--budget", "101"], "budget"),
    ([*ADVISE, "--can-set", "Q"], "can-set"),
    ([*ADVISE, "--can-set", "Y", "--goal", "maximize Y"], "can-set"),
    ([*ADVISE, "--values", "X"], "--values"),
    ([*ADVISE, "--values", "X="], "values X"),
    ([*ADVISE, "--values", "X=big"], "values X"),
    ([*ADVISE, "--values", "X=1,,2"], "values X"),
    ([*ADVISE, "--values", "X=inf"], "values X"),
    ([*ADVISE, "--values", "Q=1"], "values"),
    ([*ADVISE, "--values", "Y=1", "--goal", "maximize Y"], "values"),
    ([*ADVISE, "--values", "X=1", "--values", "X=2"], "--values"),
    ([*ADVISE, "--cost", "X"], "--cost"),
    ([*ADVISE, "--cost", "X=free"], "--cost"),
    ([*ADVISE, "--cost", "X=0"], "costs X"),
    ([*ADVISE, "--cost", "X=-1"], "costs X"),
    ([*ADVISE, "--cost", "X=nan"], "costs X"),
    ([*ADVISE, "--cost", "X=1,2"], "--cost"),
    ([*ADVISE, "--cost", "X=1", "--cost", "X=2"], "--cost"),
    ([*ADVISE, "--cost", "Q=1"], "costs"),
    ([*ADVISE, "--prefer", "luck"], "prefer"),
    ([*ADVISE, "--prefer", "gain"], "prefer"),
    ([*ADVISE, "--draws", "1"], "--draws"),
    ([*ADVISE, "--require", "X->Y", "--require", "Y->X"], "required edges"),
    (["advise", "NOTHING", "--out", "OUT"], "NOTHING"),
    (["advise", "LOGS", "--out", "OUT"], "episode"),
    (["advise", "MINE", "LOGS", "--out", "OUT"], ""),
    (["advise", *TABLE, "--out", "DIR/afolder"], "--out"),
    (["advise", *TABLE, "--out", "MINE/advice.html"], "--out"),
    (["advise", *TABLE, "--out", "DIR/short.txt", "--graph", "DIR/short.txt"], "--out"),
    ([*ADVISE, "--values", "X=1,2,1"], "values X: got '1'; it is given twice"),
    ([*ADVISE, "--can-set", "X", "--cost", "Y=1"], "costs: got 'Y'; it cannot be set"),
    ([*ADVISE, "--can-set", "X", "--values", "Y=1"], "values: got 'Y'; it cannot be set"),
    (["advise", *TABLE, "--out", "/proc/advice.html"], "/proc"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "field"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_one_line_exit_2_and_leaves_nothing(words, field, folder, tmp_path, capsys):
    paths = {"OUT": tmp_path / "out.html", "NOTHING": tmp_path / "nothing.csv", "DIR": folder,
             "MINE": folder / "mine.csv", "LOGS": folder / "logs"}  # fmt: skip

    def real(word: str) -> str:
        for name, path in paths.items():
            word = word.replace(name, str(path))
        return word

    before = {p: p.stat().st_size for p in folder.rglob("*")}
    code, out, err = run(capsys, *map(real, words))
    assert code == 2, (code, out, err)
    assert err.count("\n") == 1, err
    assert err.startswith(f"seedo: {real(field)}"), err
    assert out == ""
    assert list(tmp_path.iterdir()) == []
    assert {p: p.stat().st_size for p in folder.rglob("*")} == before


@pytest.mark.parametrize("out", ["", "mine.csv", "."])
def test_a_report_never_takes_the_place_of_data(out, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    before = (folder / "mine.csv").read_bytes()
    code, said, err = run(capsys, "advise", "mine.csv", "--targets", "did", "--out", out)
    assert (code, said, err.count("\n")) == (2, "", 1)
    assert "--out" in err
    assert (folder / "mine.csv").read_bytes() == before
