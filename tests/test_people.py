"""Published interventions of people: reading their files, weighing and attributing choices."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from command import run
from seedo import studies
from seedo.episodes import Dataset
from seedo.errors import UserError
from seedo.inference.binary import FREE, OFF, ON, every_dag, every_setting, information
from seedo.people.choices import (
    KINDS,
    SHARPNESS,
    SOFT_LAPSES,
    STRATEGIES,
    attributed,
    best_logs,
    from_graphs,
    held_out,
    histories,
    kinds_of,
    limited_information,
    links_right,
    scores,
    simulate,
    soft_logs,
)
from seedo.people.files import Pseudonyms

# Two people, a problem of two tests each; A causes B. The first turns A on, then leaves all free;
# the second holds A on and B off, then turns B on. Graphs are written column by column.
CHAIN, NONE, BACK = "0 0 0 1 0 0 0 0 0", "0 0 0 0 0 0 0 0 0", "0 1 0 0 0 0 0 0 0"
ACL = [
    "upi,stage,prob_num,test,n_nodes,sar,pow,into1,into2,into3,acto1,acto2,acto3,graph_orig,"
    "belief_orig,time_test",
    f"Ann W,test,1,2,3,0.1,0.8,0,0,0,0,0,0,{CHAIN},{CHAIN},4.5",
    f"Ann W,test,1,1,3,0.1,0.8,1,0,0,1,1,0,{CHAIN},{NONE},7",
    f"Bob,test,1,1,3,0.1,0.8,1,-1,0,1,0,0,{CHAIN},{NONE},NA",
    f"Bob,test,1,2,3,0.1,0.8,0,1,0,0,1,0,{CHAIN},{BACK},3",
]
CHIP = [
    "SubID,ageGroup,nodeCondition,NodeClick,struc1,struc2,struc1Number,TrueStrucNum,SideTrueStruc,"
    "StrucSelected,ConfRating,node1outcome,node2outcome,node3outcome",
    "7,Adults,3,1,[0 1 0; 0 0 1; 0 0 0];,[0 1 1; 0 0 0; 0 0 0];,4,9,2,2,90,1,0,1",
    "8,Children,3,3,[0 1 0; 0 0 1; 0 0 0];,[0 1 1; 0 0 0; 0 0 0];,4,4,1,2,55,0,0,1",
]
BLICKET = """    action 1: Placed Object 2 on machine,
    action 2: Test the machine -> Nexiom machine is OFF,
    action 3: Placed Object 4 on machine,
    action 4: Test the machine -> Nexiom machine is ON,
    action 5: Removed Object 2 from machine,
    action 6: Test the machine -> Nexiom machine is OFF,
"""


def written(tmp_path, name, lines):
    file = tmp_path / name
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def imported(tmp_path, capsys, form, *files):
    code, out, err = run(capsys, "import", "--format", form, *files, "--out",
                         str(tmp_path / "logs"), "--json")  # fmt: skip
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def acl(tmp_path, capsys):
    found = imported(tmp_path, capsys, "acl", written(tmp_path, "acl.csv", ACL))
    return Dataset(found["datasets"][0]["path"]).read()


# -- files -----------------------------------------------------------------------------------------


def test_interventions_test_by_test_are_read_in_order(acl):
    assert (acl.rows, acl.steps, acl.origin.variables) == (2, 2, ("A", "B", "C"))
    nan = np.nan
    np.testing.assert_array_equal(acl.setting[0], [[1, nan, nan], [nan, nan, nan]])
    np.testing.assert_array_equal(acl.setting[1], [[1, 0, nan], [nan, 1, nan]])
    np.testing.assert_array_equal(acl.outcome[0], [[1, 1, 0], [0, 0, 0]])
    assert json.loads(acl.system[0]) == {"kind": "noisy-or", "background": 0.1, "strength": 0.8,
                                         "links": [["A", "B"]]}  # fmt: skip
    said = [[json.loads(text) for text in each] for each in acl.explanation]
    assert said[0] == [{"links": [], "seconds": 7.0}, {"links": [["A", "B"]], "seconds": 4.5}]
    assert said[1] == [{"links": []}, {"links": [["B", "A"]], "seconds": 3.0}]
    assert len({*acl.participant}) == 2


def test_the_chip_task_becomes_a_choice_between_two_graphs(tmp_path, capsys):
    found = imported(tmp_path, capsys, "chip", written(tmp_path, "chip.csv", CHIP))
    adults, children = (Dataset(one["path"]).read() for one in found["datasets"])
    assert (adults.origin.experimenter, children.origin.experimenter) == (
        "people:adults", "people:children")  # fmt: skip
    chain, fork = [["A", "B"], ["B", "C"]], [["A", "B"], ["A", "C"]]
    system = json.loads(adults.system[0])
    assert (system["links"], system["hypotheses"]) == (fork, [chain, fork])
    assert json.loads(adults.explanation[0][0]) == {"links": fork, "confidence": 90.0}
    assert json.loads(children.explanation[0][0])["links"] == fork  # they were wrong
    np.testing.assert_array_equal(adults.setting[0, 0], [1, np.nan, np.nan])
    (part,) = histories(adults)
    assert [*map(list, part.settings)] == [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]]
    # A on: neither .2 or .04, B alone .16 both, C alone 0 or .16, both .64 (see test_binary).
    bits = -0.12 * math.log2(0.12) + 0.5 * (0.2 * math.log2(0.2) + 0.04 * math.log2(0.04))
    bits += -0.08 * math.log2(0.08) + 0.5 * 0.16 * math.log2(0.16)
    found = information(part.beliefs[:, 0], part.likelihood)[0]
    # B on: C follows under the chain alone, with 0.8.
    other = -0.4 * math.log2(0.4) - 0.6 * math.log2(0.6)
    other += 0.5 * (0.8 * math.log2(0.8) + 0.2 * math.log2(0.2))
    np.testing.assert_allclose(found, [0, other, bits], atol=1e-9)
    # Both links of either graph hang on A; of the chain's two one on B; none on C.
    np.testing.assert_allclose(scores(part, "positive test")[0, 0, 0], [0, 0.5, 1], atol=1e-12)
    # A on turns on B and C: .8 + .64 in the chain, 1.6 in the fork; B on: .8 or none.
    np.testing.assert_allclose(scores(part, "largest effect")[0, 0, 0], [0, 0.4, 1.52], atol=1e-12)
    assert links_right(part)[0, 0] == 1


def test_histories_of_the_blicket_game_are_replayed(tmp_path, capsys):
    file = tmp_path / "5c04872c_action_history.txt"
    file.write_text(BLICKET)
    found = imported(tmp_path, capsys, "blicket", str(file))
    batch = Dataset(found["datasets"][0]["path"]).read()
    np.testing.assert_array_equal(
        batch.setting[0, :, :4], [[0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]]
    )
    np.testing.assert_array_equal(batch.outcome[0, :, 4], [0, 1, 0])
    (part,) = histories(batch)
    # 4 single objects and, of 2 to 4 objects, "any" and "all" of each: 4 + 2 * 11 rules. Left over
    # in the end: 2 and 4 together.
    np.testing.assert_allclose(part.beliefs[0, 0], 1 / 26)
    np.testing.assert_allclose(np.sort(part.beliefs[0, 3])[-2:], [0, 1], atol=1e-9)


def test_no_name_is_left_in_the_log_and_the_key_lies_beside_it(tmp_path, capsys):
    file = written(tmp_path, "acl.csv", ACL)
    found = imported(tmp_path, capsys, "acl", file)
    key = tmp_path / "logs.key"
    assert found["key"] == str(key)
    assert key.stat().st_mode & 0o077 == 0
    for path in (tmp_path / "logs").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Ann W" not in content
            assert key.read_bytes() not in content
    people = set(Dataset(found["datasets"][0]["path"]).read().participant)
    assert people == {Pseudonyms(key).of("acl", name) for name in ("Ann W", "Bob")}
    assert people.isdisjoint(
        Pseudonyms(tmp_path / "another").of("acl", n) for n in ("Ann W", "Bob")
    )


@pytest.mark.parametrize(
    ("form", "lines", "change", "words"),
    [
        ("acl", ACL, ("0.8,1,-1,0,1,0,0", "0.8,2,-1,0,1,0,0"), "column into1, row 3: got '2"),
        ("acl", ACL, ("1,-1,0,1,0,0", "1,-1,0,1,1,0"), "column acto2, row 3: got '1"),
        ("acl", ACL, ("Bob,test,1,2", "Bob,test,1,1"), "tests of a person's problem are numbered"),
        ("acl", ACL, (BACK, "0 1"), "column belief_orig, row 4: got '0 1'; give 9 of 0 and 1"),
        ("acl", ACL, ("prob_num", "problem"), "no table of test trials: needs columns upi"),
        ("chip", CHIP, ("7,Adults,3,1", "7,Adults,3,4"), "column NodeClick, row 1: got '4"),
        ("chip", CHIP, ("[0 1 1; 0 0 0; 0 0 0];,4,9", "[0 1];,4,9"), "column struc2, row 1"),
        ("chip", CHIP, ("SubID", "id"), "no table of the chip task: needs columns SubID"),
        ("blicket", [BLICKET], ("Object 4 on", "Object 5 on"), "line 3: got 'Object 5'"),
        ("blicket", [BLICKET], ("Removed Object 2", "Removed Object 3"), "not on the machine"),
        ("blicket", [BLICKET], ("machine is ON", "machine is HOT"), "line 4: got 'action 4"),
        ("maze", ACL, ("", ""), "--format: got 'maze'; use one of acl, chip, blicket"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, capsys, form, lines, change, words):
    suffix = "txt" if form == "blicket" else "csv"
    file = written(tmp_path, f"bad.{suffix}", [line.replace(*change) for line in lines])
    code, _, err = run(capsys, "import", "--format", form, file, "--out", str(tmp_path / "logs"))
    assert code == 2
    assert words in " ".join(err.split())
    assert not (tmp_path / "logs").exists()
    assert not (tmp_path / "logs.key").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--goal", "A", "--format", "acl"), "--format: got 'acl'"),
        (("--key", "k"), "--key: got 'k'; hides the names of people"),
        (("another.csv",), "files: got 'another.csv'; give one file"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, capsys, words, line):
    file = written(tmp_path, "acl.csv", ACL)
    code, _, err = run(capsys, "import", file, *words, "--out", str(tmp_path / "logs"))
    assert (code, line in " ".join(err.split())) == (2, True)


def test_a_key_that_is_none_is_refused(tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(UserError, match="no key: 5 bytes in place of 32"):
        Pseudonyms(tmp_path / "key")


def r_text(text):
    return ["262153", str(len(text)), text.replace(" ", "\\040")]


def r_list(kind, values, **attributes):
    """A vector as R writes it in ASCII; kind 13: whole numbers, 14: numbers, 16: texts, 19: any."""
    lines = [str(kind + 512 * bool(attributes) + 256 * ("class" in attributes)), str(len(values))]
    for value in values:
        lines += r_text(value) if kind == 16 else value if kind == 19 else [str(value)]
    for name, value in attributes.items():
        lines += ["1026", "1", *r_text(name), *value]
    return lines + ["254"] * bool(attributes)


def r_frame(rows, texts, matrices=(), whole=()):
    """A data frame, with a matrix in every cell of some columns."""
    columns = []
    for name in rows[0]:
        cells = [row[name] for row in rows]
        if name in matrices:
            size = r_list(13, [9, 1])
            cells = [r_list(14, cell.split(), dim=size) for cell in cells]
            columns.append(r_list(19, cells, **{"class": r_list(16, ["AsIs"])}))
        else:
            columns.append(r_list(16 if name in texts else 13 if name in whole else 14, cells))
    return r_list(19, columns, **{
        "names": r_list(16, list(rows[0])), "class": r_list(16, ["data.frame"]),
        "row.names": r_list(13, range(1, len(rows) + 1)),
    })  # fmt: skip


def test_files_of_r_are_read_as_their_tables_are(tmp_path, capsys, acl):
    pytest.importorskip("rdata")
    rows = list(csv.DictReader(ACL))
    kinds = ("upi", "stage"), ("graph_orig", "belief_orig")
    practice = [row | {"stage": "practice"} for row in rows]
    lines = ["RDA2", "A", "2", "196608", "131840"]
    for name, some in (("e4_pw", practice), ("e4_tew", rows)):
        lines += ["1026", "1", *r_text(name), *r_frame(some, *kinds)]
    file = written(tmp_path, "acl.rdata", [*lines, "254"])
    again = tmp_path / "again"
    again.mkdir()
    found = imported(again, capsys, "acl", file)
    batch = Dataset(found["datasets"][0]["path"]).read()
    np.testing.assert_array_equal(batch.setting, acl.setting)
    assert (batch.system, batch.explanation) == (acl.system, acl.explanation)


def test_a_whole_number_that_r_misses_is_an_outcome_not_seen(tmp_path, capsys):
    pytest.importorskip("rdata")
    rows = [row | {"node4outcome": "NA"} for row in csv.DictReader(CHIP)]
    frame = r_frame(rows, ("SubID", "ageGroup", "struc1", "struc2"), whole=("node4outcome",))
    lines = ["RDA2", "A", "2", "196608", "131840", "1026", "1", *r_text("task_data"), *frame]
    found = imported(tmp_path, capsys, "chip", written(tmp_path, "chip.Rda", [*lines, "254"]))
    assert [one["episodes"] for one in found["datasets"]] == [1, 1]


def test_a_file_of_r_without_its_reader_names_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rdata", None)
    (tmp_path / "a.rdata").write_bytes(b"RDX3")
    code, _, err = run(capsys, "import", "--format", "acl", str(tmp_path / "a.rdata"), "--out",
                       str(tmp_path / "logs"))  # fmt: skip
    assert (code, "pip install 'seedo[people]'" in " ".join(err.split())) == (2, True)


# -- choices ---------------------------------------------------------------------------------------


def test_interventions_have_kinds_and_drawn_links_are_compared_with_the_truth(acl):
    settings = [[ON, FREE, FREE], [ON, OFF, FREE], [FREE] * 3, [ON, ON, OFF], [ON, ON, FREE],
                [OFF, FREE, FREE]]  # fmt: skip
    kinds = [KINDS[k] for k in kinds_of(np.array(settings, np.int8))]
    assert kinds == ["simple", "controlled", "observation", "dominated", "other", "other"]
    (part,) = histories(acl)
    np.testing.assert_allclose(links_right(part), [[2 / 3, 1], [2 / 3, 2 / 3]])
    assert [*map(list, part.settings[part.chosen[1]])] == [[1, 0, -1], [-1, 1, -1]]


def test_who_remembers_one_test_believes_what_that_test_alone_says(acl):
    (part,) = histories(acl)
    first, second = (part.likelihood[part.chosen[:, s], :, part.seen[:, s]] for s in (0, 1))
    np.testing.assert_allclose(part.beliefs_of(1)[:, 2], second / second.sum(axis=1)[:, None])
    both = first * second
    np.testing.assert_allclose(part.beliefs[:, 2], both / both.sum(axis=1)[:, None])
    np.testing.assert_allclose(limited_information(part, memory=9), scores(part, "information"))
    one = limited_information(part, samples=1, ways=3)
    assert one.shape == (3, 2, 2, 27)
    np.testing.assert_allclose(one, 0, atol=1e-12)  # who sees one graph has nothing to learn


def test_a_rule_is_judged_on_people_whom_it_was_not_fitted_to():
    # Two parameters; person 0 alone likes the second, which must not be chosen for them.
    logs = np.array([[-9.0, -1, -1, -1, -1, -1], [-1, -4, -4, -4, -4, -4]])
    found = held_out(logs, np.full(6, 2), np.full(6, -5.0))
    np.testing.assert_allclose(found.bits, [(5 - 9) / 2 / math.log(2)] + [4 / 2 / math.log(2)] * 5)


def people_of(strategy, people, rng, lapse=0.1):
    truth = rng.integers(25, size=8 * people)
    person = np.repeat(np.arange(people), 8).astype(str)
    part = from_graphs(every_dag(3), every_setting(3), 0.1, 0.8, person, truth)
    return simulate(part, strategy, lapse, 5, rng)


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_people_who_are_made_up_are_attributed_their_strategy(strategy):
    people, rng = 40, np.random.default_rng(1)
    part = people_of(strategy, people, rng)
    logs = {name: best_logs(part, scores(part, name)).reshape(-1, people, 8).sum(axis=-1)
            for name in STRATEGIES}  # fmt: skip
    names, lead = attributed(logs)
    assert (names == strategy).mean() >= 0.9
    assert (lead >= 0).all()


def test_probabilities_of_choices_are_those_of_softmax_and_lapse(acl):
    (part,) = histories(acl)
    score = scores(part, "information")
    logs = soft_logs(part, score).reshape(len(SHARPNESS), len(SOFT_LAPSES), 2)
    weights = np.exp(4 * score[0])
    chance = 0.8 * weights / weights.sum(axis=-1, keepdims=True) + 0.2 / 27
    took = np.take_along_axis(chance, part.chosen[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(logs[3, 3], np.log(took).sum(axis=-1))
    random = soft_logs(part, scores(part, "random"))
    np.testing.assert_allclose(random, -2 * math.log(27))


# -- the study -------------------------------------------------------------------------------------


def acl_rows(part, people):
    """A simulated log in the columns of the published tables."""
    yield "upi,prob_num,test,sar,pow,into1,into2,into3,acto1,acto2,acto3,graph_orig,belief_orig"
    for b, person in enumerate(part.person):
        graph = " ".join(map(str, part.graphs[part.truth[b]].T.astype(int).ravel()))
        for s in range(part.chosen.shape[1]):
            held = part.settings[part.chosen[b, s]].tolist()
            into = ",".join({FREE: "0", OFF: "-1", ON: "1"}[each] for each in held)
            acto = ",".join(f"{part.seen[b, s]:03b}")
            yield f"{person},{b},{s + 1},0.1,0.8,{into},{acto},{graph},{graph}"


def test_the_study_says_who_chooses_like_people(tmp_path, capsys):
    part = people_of("information", 10, np.random.default_rng(0))
    data = tmp_path / "data"
    file = written(tmp_path, "made.csv", acl_rows(part, 10))
    code, _, err = run(capsys, "import", "--format", "acl", file, "--out", str(data / "made up"))
    assert code == 0, err
    finding = studies.study("people", "quick", tmp_path / "study", data=data, say=lambda _: None)
    (task,) = finding.values["tasks"].values()
    assert (task["people"], task["choices"]) == (10, 400)
    assert task["share"]["people"]["value"] > 0.9
    assert task["share"]["random"]["value"] < 0.5
    assert task["links right"]["value"] == 1
    rules = task["predicted"]
    assert max(rules, key=lambda rule: rules[rule]["value"]) == "information"
    assert task["attributed"]["information"] >= 9
    assert len(task["by test"]) == 5
    assert sum(kind["value"] for kind in task["kinds"].values()) == pytest.approx(1)
    assert "Supports the claim" in finding.verdict
    assert (tmp_path / "study" / "table.md").exists()
    with pytest.raises(UserError, match="no log of people below it"):
        studies.study("people", "quick", tmp_path / "s", data=tmp_path / "study")


# -- in words --------------------------------------------------------------------------------------


class Says:
    """A model in this process that says the same whatever it is asked."""

    name, spent = "says", []

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    def replies(self, conversations):
        self.asked += [conversation[-1]["content"] for conversation in conversations]
        return [self.reply] * len(conversations)


def words_of(part, reply, tmp_path, capsys):
    """The study's figures of a player that says this in the place of the people of a log."""
    file = written(tmp_path, "made.csv", acl_rows(part, 1))
    data = tmp_path / "data"
    code, _, err = run(capsys, "import", "--format", "acl", file, "--out", str(data / "made up"))
    assert code == 0, err
    speaker = Says(reply)
    finding = studies.study(
        "people", "quick", tmp_path / "study", data=data, say=lambda _: None,
        player=studies.InProcess(speaker, called="hf:says"),
    )  # fmt: skip
    (task,) = finding.values["tasks"].values()
    return task["in words"], speaker, finding


def test_a_model_is_put_in_the_place_of_people_and_told_what_they_saw(tmp_path, capsys):
    part = people_of("information", 5, np.random.default_rng(0))
    found, speaker, finding = words_of(part, "I would try:\nA on.", tmp_path, capsys)
    # Five people, the first three of their eight problems, five tests each.
    assert found["choices"] == len(speaker.asked) == 75
    row = part.settings[part.chosen].tolist()
    own = [row[b][s] == [ON, FREE, FREE] for b in range(40) for s in range(5) if b % 8 < 3]
    assert found["agrees"]["hf:says"]["value"] == pytest.approx(np.mean(own))
    assert found["agrees"]["hf:says"]["n"] == 5
    assert found["agrees"]["no test"]["value"] == 0
    assert found["agrees"]["random"]["value"] == pytest.approx(1 / 27)
    less = found["less"]["random"]["value"]
    assert less == pytest.approx(np.mean(own) - 1 / 27)
    assert "hf:says would have done what people did" in finding.verdict
    first, second = speaker.asked[:2]
    assert "by itself in 10% of tests" in first
    assert "No test was made yet." in first
    assert second.count("On then:") == 1


@pytest.mark.parametrize(
    ("reply", "setting"),
    [
        ("A on, C off", [ON, FREE, OFF]),
        ("**b ON**", [FREE, ON, FREE]),
        ("nothing", [FREE] * 3),
        ("Let me think.\n\nTest: A off, B off, C on", [OFF, OFF, ON]),
        ("A on, A off", None),
        ("whatever you like", None),
        ("D on", None),
    ],
)
def test_a_reply_is_the_test_that_it_says(tmp_path, capsys, reply, setting):
    part = people_of("random", 1, np.random.default_rng(0))
    found, _, _ = words_of(part, reply, tmp_path, capsys)
    assert found["agrees"]["no test"]["value"] == (setting is None)
    done = part.settings[part.chosen[:3]].tolist()
    own = [each == setting for tests in done for each in tests]
    assert found["agrees"]["hf:says"]["value"] == pytest.approx(np.mean(own))


@pytest.mark.parametrize(
    ("player", "words"),
    [
        ("pretrained:dag", "does not speak"),
        ("llm:mockllm/model", "plays whole episodes, and is not told of others'"),
    ],
)
def test_players_that_cannot_stand_in_for_people_are_refused(tmp_path, capsys, player, words):
    part = people_of("random", 1, np.random.default_rng(0))
    file = written(tmp_path, "made.csv", acl_rows(part, 1))
    data = str(tmp_path / "data")
    code, _, err = run(capsys, "import", "--format", "acl", file, "--out", data)
    assert code == 0, err
    code, _, err = run(capsys, "study", "people", "--data", data, "--player", player, "--out",
                       str(tmp_path / "study"))  # fmt: skip
    assert (code, words in " ".join(err.split())) == (2, True), err
