"""Studies of tuners: what is paired, what is counted, what is refused."""

import json

import numpy as np
import pytest

from seedo import studies
from seedo.errors import UserError
from seedo.studies.lab_vs_reality import SCALES, STUDY, Scale

COUNT = 40


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two recorded campaigns: a bowl with replicates, and levels with noise."""
    folder = tmp_path_factory.mktemp("campaigns")
    rng = np.random.default_rng(0)
    x = rng.random((COUNT, 2)).round(3)
    y = -((x - 0.4) ** 2).sum(1)
    rows = ["a,b,y"] + [
        f"{a},{b},{v + 0.01 * rng.normal():.4f}"
        for (a, b), v in zip(x, y, strict=True)
        for _ in range(2)
    ]
    (folder / "bowl.csv").write_text("\n".join(rows) + "\n")
    (folder / "bowl.roles.csv").write_text("column,role\na,factor\nb,factor\ny,outcome\n")
    kind, c = rng.integers(3, size=COUNT), rng.random(COUNT).round(3)
    rows = ["kind,c,y"] + [f"L{k},{v},{k + v:.3f}" for k, v in zip(kind, c, strict=True)]
    (folder / "levels.csv").write_text("\n".join(rows) + "\n")
    (folder / "levels.roles.csv").write_text("column,role\nkind,factor\nc,factor\ny,outcome\n")
    return folder


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    scales = dict(SCALES)
    STUDY.scales["tiny"] = Scale({"random": 8, "pretrained:tuner": 4, "untrained tuner": 4}, 9)
    yield out, studies.study("lab-vs-reality", "tiny", out, data=data, say=lambda _: None)
    STUDY.scales.clear()
    STUDY.scales.update(scales)


def test_regret_is_that_of_the_rows_chosen(found, data) -> None:
    out, finding = found
    table = np.genfromtxt(data / "levels.csv", delimiter=",", skip_header=1, dtype=None)
    settings = sorted({(int(row[0][1:]), row[1]): row[2] for row in table}.items())
    worth = np.array([value for _, value in settings])
    for name in ("random", "pretrained-tuner"):
        for run in json.loads((out / "runs" / f"levels-{name}.json").read_text())["answer"]:
            assert len(set(run["chosen"])) == 25
            best = np.maximum.accumulate(worth[run["chosen"]])
            np.testing.assert_allclose(run["regret"], (worth.max() - best) / np.ptp(worth))
    curve = finding.values["campaigns"]["levels"]["players"]["random"]["curve"]
    assert all(np.diff(curve) <= 0)


def test_players_of_a_start_begin_alike_and_the_study_goes_on_from_what_is_there(found, data):
    out, finding = found
    runs = [
        json.loads((out / "runs" / f"bowl-{name}.json").read_text())["answer"]
        for name in ("random", "pretrained-tuner", "untrained-tuner")
    ]
    for one in zip(*runs, strict=False):
        assert len({tuple(run["chosen"][:5]) for run in one}) == 1
    said = []
    again = studies.study("lab-vs-reality", "tiny", out, data=data, say=said.append)
    assert not said
    assert again == finding


def test_rivals_are_paired_or_refused(found, data) -> None:
    out, finding = found
    rivals = out / "rivals"
    rivals.mkdir()
    runs = {
        name: json.loads((out / "runs" / f"{name}-random.json").read_text())["answer"]
        for name in ("bowl", "levels")
    }
    for name, some in runs.items():
        for run in some[:5]:
            rival = {"campaign": name, "seed": run["start"], "player": "mine"}
            text = json.dumps(rival | {"chosen": run["chosen"]})
            (rivals / f"{name}-{run['start']}.json").write_text(text)
    other = studies.study("lab-vs-reality", "tiny", out, data=data, say=lambda _: None)
    # The rival is chance itself: nothing lies between them, and all else stays as it was.
    less = other.values["pooled"]["mine"]["less random"]["after 20"]
    assert (less["value"], less["low"], less["high"], less["n"]) == (0, 0, 0, 10)
    assert (
        other.values["campaigns"]["bowl"]["players"]["random"]
        == (finding.values["campaigns"]["bowl"]["players"]["random"])
    )
    for text, field in (
        ("{", "no JSON"),
        ("[]", "no run"),
        (json.dumps({"campaign": "bowl", "seed": 0, "player": "x", "chosen": [1, 2]}), "start"),
    ):
        (rivals / "zz.json").write_text(text)
        with pytest.raises(UserError, match=field):
            studies.study("lab-vs-reality", "tiny", out, data=data, say=lambda _: None)
        (rivals / "zz.json").unlink()


def test_data_are_asked_for_and_looked_at(tmp_path, data) -> None:
    def study(name, folder):
        return studies.study(name, "quick", tmp_path / "out", data=folder, say=lambda _: None)

    with pytest.raises(UserError, match="--data"):
        study("lab-vs-reality", None)
    with pytest.raises(UserError, match="--data"):
        study("lab-vs-reality", tmp_path / "nowhere")
    with pytest.raises(UserError, match="needs none"):
        study("limit", data)
    with pytest.raises(UserError, match="no campaign"):
        study("lab-vs-reality", tmp_path)
    (tmp_path / "few.csv").write_text(
        "a,y\n" + "\n".join(f"{i},{i * i % 7}" for i in range(9)) + "\n"
    )
    (tmp_path / "few.roles.csv").write_text("column,role\na,factor\ny,outcome\n")
    with pytest.raises(UserError, match="25 different settings"):
        study("lab-vs-reality", tmp_path)
