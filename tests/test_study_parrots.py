"""Study `parrots-inside`, tiny."""

from __future__ import annotations

import dataclasses
import json

import pytest

from seedo.abstraction import exact_posterior
from seedo.studies import find
from seedo.studies.parrots_inside import SCALES, SPLITS, Scale, Who
from seedo.worlds import make


@pytest.mark.slow
def test_the_study_tells_a_causal_reader_from_one_that_is_not(tmp_path):
    networks = {"dag": Who("pretrained:dag", {}), "plain": Who("plain", {}, 2560)}
    study = dataclasses.replace(find("parrots-inside"), scales={"tiny": Scale(networks, 240, 1.0)})
    finding = study.run("tiny", tmp_path / "study", say=lambda line: None)
    at_work = finding.values["dag"]["train"]
    layer = next(x for x in at_work["interchange"] if x["layer"] == at_work["layer"])
    causal = layer["algorithms"]["causal"]["same"]
    assert causal["low"] > layer["algorithms"]["frequencies"]["same"]["high"]
    assert causal["low"] > at_work["untrained"]["algorithms"]["causal"]["same"]["high"]
    again = study.run("tiny", tmp_path / "study", say=lambda line: None)
    assert again == finding
    assert json.loads((tmp_path / "study" / "study.json").read_text())["verdict"] == finding.verdict


def test_one_network_of_the_study_alone_plays_where_there_is_no_exact_posterior():
    for scale in SCALES.values():
        for name, who in scale.networks.items():
            for split in SPLITS:
                posterior = exact_posterior(make("dag", split=split, **who.settings))
                assert (posterior is None) == (name == "dag-soft")
