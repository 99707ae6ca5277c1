"""Study `levels`, tiny."""

from __future__ import annotations

import dataclasses
import json

import pytest

from seedo.studies import find
from seedo.studies.levels import LEVELS, SPLITS, Scale


@pytest.mark.slow
def test_the_study_compares_the_levels_and_goes_on_where_it_stopped(tmp_path):
    tiny = Scale(("mixture",), (512,), {"plain": 1.0}, 1.0, 1000, 1000, 64, seeds=2)
    study = dataclasses.replace(find("levels"), scales={"tiny": tiny})
    finding = study.run("tiny", tmp_path / "study", say=lambda line: None)
    own = finding.values["mixture"]
    assert {name.partition("/")[0] for name in own} == set(LEVELS)
    for split in SPLITS:
        told = own["told/plain/512"][split]
        assert told["of told"]["value"] == pytest.approx(1.0)
        for name in own:
            figure = own[name][split]["return"]
            assert figure["n"] == len(set(figure["seeds"])) == 2
            assert figure["value"] == pytest.approx(sum(figure["seeds"]) / 2)
    (tmp_path / "study" / "study.json").unlink()
    assert study.run("tiny", tmp_path / "study", say=lambda line: None) == finding
    assert json.loads((tmp_path / "study" / "study.json").read_text())["verdict"] == finding.verdict
