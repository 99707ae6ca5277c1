"""Advice on data from real systems, without tuning: slow, and only where the data are at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seedo import evaluation, reports
from seedo.inference import infer
from seedo.tables import read_table

DATA = Path(__file__).parents[2] / "shared" / "data"
CHAMBER, SACHS = DATA / "causal_chamber_light_tunnel", DATA / "sachs2005"

pytestmark = pytest.mark.slow


def advice(files, targets: str, folder: Path, drop=()) -> evaluation.Advice:
    """Reads, infers, plans and writes the report."""
    sidecar = folder / "targets.csv"
    sidecar.write_text(targets)
    table, notes = read_table(files, str(sidecar), drop=drop)
    found = replace(evaluation.advise(infer(table)), notes=tuple(notes))
    reports.write_advice(found, folder / "advice.html")
    assert "<svg" in (folder / "advice.html").read_text()
    return found


def certain_effects(found: evaluation.Advice) -> set[tuple[str, str]]:
    return {(row["cause"], effect) for row in found.causes() for effect in row["effects"]}


@pytest.mark.skipif(not CHAMBER.exists(), reason="no ../shared/data")
def test_a_light_tunnels_lamps_move_its_sensors_and_its_current(tmp_path):
    """What is known from the physics (dag.csv; Gamella et al. 2025), as total effects."""
    files = ["uniform_reference.csv.gz"]
    targets = "file,targets\n"
    for name in ("red", "green", "blue", "v_c"):
        files.append(f"uniform_{name}_strong.csv.gz")
        targets += f"{files[-1]},{name}\n"
    drop = ("timestamp", "config", "counter", "flag", "intervention")
    found = advice([CHAMBER / f for f in files], targets, tmp_path, drop)
    sensors = ["current", *(f"{kind}_{k}" for kind in ("ir", "vis") for k in (1, 2, 3))]
    known = {(lamp, s) for lamp in ("red", "green", "blue") for s in sensors} | {("v_c", "current")}
    effects = certain_effects(found)
    assert known <= effects
    # Nor is anything of dag.csv found the wrong way round.
    lines = (CHAMBER / "dag.csv").read_text().split()[1:]
    assert not {tuple(line.split(",")[::-1]) for line in lines} & effects


@pytest.mark.skipif(not SACHS.exists(), reason="no ../shared/data")
def test_protein_signals_are_contradictory_and_some_consensus_edges_are_certain(tmp_path):
    """Reagents are imperfect interventions on activity, cells saturate: a linear model finds a
    part of the consensus and is told by its own data that it does not fit."""
    targets = (
        "column,targets\ncd3_cd28,\nicam2,\naktinhib,~akt\ng0076,~pkc\npsitect,~pip2\n"
        "u0126,~mek\nly,~akt\npma,~pkc\nb2camp,~pka\n"
    )
    file = SACHS / "sachs.2005.log10plus.with.interventions.tsv.gz"
    found = advice([file], targets, tmp_path)
    assert found.posterior.conflicts.contradicted
    lines = (SACHS / "ground.truth.graph.txt").read_text().splitlines()
    consensus = {tuple(s.split(". ")[1].split(" --> ")) for s in lines if "-->" in s}
    assert len(consensus) == 20
    certain = {(e["parent"], e["child"]) for e in found.edges() if e["certain"]}
    assert len(certain & consensus) >= 5
    assert ("mek", "erk") in certain
