"""Campaigns' files that cannot be used: one true line each, naming the field."""

import tomllib
from pathlib import Path

import pytest

from seedo.errors import UserError
from seedo.play import campaign as play

ROOT = Path(__file__).parents[1]
GOOD = """
budget = 5
[knobs.x]
low = 0
high = 10
[knobs.kind]
levels = ["a", "b"]
[goals.y]
aim = "maximize"
"""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BAD = {
    "no TOML": ("budget 5", "it is no TOML: Expected '='"),
    "twice": (GOOD + "[knobs.x]\nlow = 1\n", "it is no TOML: Cannot declare"),
    "nothing": ("", "goals: give a table for every goal"),
    "unknown field": ("bugdet = 3\n" + GOOD, "campaign: got 'bugdet'; use one of name, player"),
    "no budget": (changed("budget = 5", ""), "budget: missing"),
    "budget of a half": (changed("5", "5.5"), "budget: got 5.5; use a whole number"),
    "no budget left": (changed("5", "0"), "budget: got 0; use a whole number from 1"),
    "budget as text": (changed("5", '"5"'), "budget: got '5'; use a whole number"),
    "batch": ("batch = 0\n" + GOOD, "batch: got 0; use a whole number from 1"),
    "workers": ("workers = true\n" + GOOD, "workers: got True; use a whole number"),
    "seed": ("seed = -1\n" + GOOD, "seed: got -1; use a whole number from 0"),
    "first": ("first = -2\n" + GOOD, "first: got -2; use a whole number"),
    "player": ("player = 7\n" + GOOD, "player: got 7; give a player's name"),
    "name": ('name = "../up"\n' + GOOD, "name: got '../up'; give letters"),
    "pareto": ("pareto = true\n" + GOOD, "pareto: got True; give two goals or more"),
    "pareto as text": ('pareto = "yes"\n' + GOOD, "pareto: got 'yes'; give true or false"),
    "no knobs": (GOOD[: GOOD.index("[knobs")] + '[goals]\ny = "maximize"', "knobs: give a table"),
    "knob is no table": ("knobs = 3\nbudget = 5\n[goals.y]", "knobs: got 3; give a table"),
    "no high": (changed("high = 10", ""), "knobs.x.high: missing: a real knob needs it"),
    "upside down": (changed("low = 0", "low = 20"), "low of knob x: got 20"),
    "low as text": (changed("low = 0", 'low = "0"'), "low of knob x: got '0'; give a finite"),
    "infinite": (changed("high = 10", "high = inf"), "high of knob x: got inf; give a finite"),
    "unknown type": (changed("low = 0", 'type = "int"\nlow = 0'), "knobs.x.type: got 'int'"),
    "unknown part of a knob": (changed("low = 0", "min = 0\nlow = 0"), "knobs.x: got 'min'"),
    "one level": (changed('["a", "b"]', '["a"]'), "levels of knob kind: got ['a']"),
    "level twice": (changed('["a", "b"]', '["a", "a"]'), "levels of knob kind"),
    "step": (changed("low = 0", "low = 0\nstep = 99"), "step of knob x: got 99"),
    "aim": (changed("maximize", "raise"), "goals.y.aim: got 'raise'; use one of maximize"),
    "target": (changed("maximize", "target"), "goals.y.target: give a number"),
    "unit": (
        changed('aim = "maximize"', 'aim = "maximize"\nunit = "%"'),
        "goals.y: got 'unit'; unit belongs to what is read: write it under [readings.y]",
    ),
    "weight": (changed('aim = "maximize"', "weight = -1"), "goals.y.weight: got -1"),
    "goal is a knob": (changed("goals.y", "goals.x"), "readings: got 'x'; give every knob"),
    "reading is a knob": (GOOD + "[readings.x]\n", "readings: got 'x'; give every knob"),
    "plausible": (GOOD + "[readings.z]\nlow = 2\nhigh = 1", "readings.z.low: got 2; it must lie"),
    "part of a reading": (GOOD + "[readings.z]\nmin = 2", "readings.z: got 'min'; use one of"),
    "constraint": (GOOD + '[[constraints]]\nlinear = "x < 3"', "constraint: got 'x < 3'"),
    "of no knob": (GOOD + '[[constraints]]\nlinear = "w <= 3"', "got 'w'; use knobs among x"),
    "of a level": (GOOD + '[[constraints]]\nlinear = "kind <= 3"', "it has levels"),
    "impossible": (GOOD + '[[constraints]]\nlinear = "x >= 11"', "no setting within the ranges"),
    "forbidden level": (GOOD + '[[constraints]]\nforbid = {kind = "c"}', "use one of a, b"),
    "two meters": (GOOD + '[measure]\ncommand = "a"\nhttp = "b"', "measure: got 'command, http'"),
    "unknown meter": (GOOD + '[measure]\nshell = "a"', "measure: got 'shell'; use one of command"),
    "empty command": (GOOD + '[measure]\ncommand = " "', "measure.command: got ' '; give a text"),
    "late": (GOOD + '[measure]\ncommand = "a"\ntimeout = 0', "measure.timeout: got 0; give sec"),
    "failures": (GOOD + "[measure]\nfailures = 0", "measure.failures: got 0"),
    "repeat": (GOOD + '[measure]\nrepeat = "no"', "measure.repeat: got 'no'; give true or false"),
    "cost": (GOOD + "[cost]\nrun = -1", "cost.run: got -1; give a number from 0"),
    "budget of cost": (GOOD + "[cost]\nbudget = 0", "cost.budget: got 0; give a number above 0"),
    "cost of what": (GOOD + "[cost]\neach = 1", "cost: got 'each'; use one of run, budget"),
    "start": ("start = [3]\n" + GOOD, "start: got 3; give a table with file, observed"),
    "start as number": ("start = 3\n" + GOOD, "start: got 3; give a list of files"),
    "shares of what": (GOOD + "[[constraints]]\nsum = [{}, 1]\nequals = 1", "constraints.sum: got"),
    "nothing to start": ('start = [{observed = true}]\n' + GOOD, "start: give the name of a table"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line(tmp_path, name):
    text, said = BAD[name]
    path = tmp_path / "campaign.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        play.read_plan(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "there is no such file"),
        ("a,b\n1,2\n", "it has no column of a knob"),
        ("x,kind\n1,a\n", "it has no column of a reading"),
        ("x,kind,y\nhigh,a,3\n", "row 2, column x: got 'high'; give a number"),
        ("x,kind,y\n1,a,3 to 4\n", "row 2, column y: got '3 to 4'; give a number"),
        ("x,kind,y,seen\n1,a,3,perhaps\n", "row 2, column seen: got 'perhaps'; give true or false"),
    ],
)
def test_a_bad_table_to_start_with_is_one_line(tmp_path, table, said):
    if table is not None:
        (tmp_path / "e.csv").write_text(table)
    seen = "seen" if table and "seen" in table else False
    (tmp_path / "c.toml").write_text(
        f'start = [{{file = "e.csv", observed = {str(seen).lower() if not seen else repr(seen)}}}]'
        + GOOD
    )
    with pytest.raises(UserError) as error:
        play.Campaign(play.read_plan(tmp_path / "c.toml"))
    assert said in str(error.value)
    assert not (tmp_path / "c").exists()  # nothing is begun


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"name = '\xe9'"])
def test_no_text_is_said(tmp_path, raw):
    (tmp_path / "c.toml").write_bytes(raw)
    with pytest.raises(UserError, match="it is no text in UTF-8"):
        play.read_plan(tmp_path / "c.toml")


def test_the_example_is_a_plan_and_says_what_it_says(tmp_path):
    (tmp_path / "c.toml").write_text(play.EXAMPLE, encoding="utf-8")
    plan = play.read_plan(tmp_path / "c.toml")
    assert plan.space.names == ("temperature", "feeds", "ligand", "stirring")
    assert plan.names == ("pressure", "yield")
    again = play.plan_of({k: v for k, v in plan.to_json().items() if v is not None})
    assert again.to_json() == plan.to_json()
    # Every line that is commented out is one that may stand there.
    lines = [line.removeprefix("# ") for line in play.EXAMPLE.splitlines()]
    for kind in ("command", "python", "http", "gym", "world"):
        assert any(line.startswith(f"{kind} = ") for line in lines)


def test_the_walk_in_the_documentation_is_the_example_that_comes_with_it():
    text = (ROOT / "docs" / "campaigns.md").read_text(encoding="utf-8")
    shown = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    example = (ROOT / "examples" / "device" / "campaign.toml").read_text(encoding="utf-8")
    kept = tomllib.loads(example)
    assert shown.items() <= kept.items()
    assert kept.keys() - shown.keys() <= {"workers", "seed"}
    assert play.plan_of(shown).space.size == 3


def test_a_level_that_is_a_number_is_read_from_a_table_of_numbers(tmp_path):
    (tmp_path / "e.csv").write_text("x,kind,y\n1,1.0,3\n2,2,4\n")
    (tmp_path / "c.toml").write_text(
        'start = "e.csv"' + changed('["a", "b"]', '["1", "2"]'), encoding="utf-8"
    )
    with play.Campaign(play.read_plan(tmp_path / "c.toml")) as campaign:
        assert campaign.known.settings.tolist() == [[1, 0], [2, 1]]
