"""Studies in rooms, each at a size that teaches nothing: the machinery, not the claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seedo.studies import deconfounding, explanations, rl_explanations

TINY = {
    "deconfounding": (deconfounding.STUDY, deconfounding.Scale(640, 1.0, 64, 1)),
    "explanations": (
        explanations.STUDY,
        explanations.Scale(640, 1.0, 64, {"predict": 1, "none": 1}),
    ),
    "rl-explanations": (rl_explanations.STUDY, rl_explanations.Scale(("colour",), 8192, 64, 2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_a_study_ends_in_a_verdict_and_resumes_to_the_same(name, tmp_path):
    study, scale = TINY[name]
    tiny = replace(study, scales={"tiny": scale})
    lines: list[str] = []
    first = tiny.run("tiny", tmp_path, 0, lines.append)
    assert "refutes" in first.verdict
    assert first.values
    assert lines
    assert all("<svg" in (tmp_path / figure).read_text() for figure in first.figures)
    again = tiny.run("tiny", tmp_path, 0, lines.append)
    assert again == first
