"""Study `text-explanations`: equal tokens with and without what is explained."""

import dataclasses

import numpy as np
import pytest

from seedo import play, worlds
from seedo.experimenters import scripted
from seedo.language.scenes import token_names
from seedo.language.text import mean_tokens, spelt, tokenizer, transcript
from seedo.studies.text_explanations import STUDY, TINY, Scale


@pytest.mark.parametrize("explained", [False, True])
def test_tokens_are_counted_as_the_tokenizer_counts_whole_transcripts(explained):
    world = worlds.make("dag", n=3)
    batch = play.episodes(world, scripted("expert"), 0, "watch", 0, 32, explain="effects")
    rng = np.random.default_rng(5)  # names are one token each, whichever they are
    whole = [
        "".join(map(spelt, transcript(batch, row, token_names(3, rng), explained)))
        for row in range(32)
    ]
    lengths = [len(tokenizer().encode(text, add_special_tokens=False).ids) for text in whole]
    assert mean_tokens(batch, explained) == pytest.approx(np.mean(lengths))


@pytest.mark.slow
def test_it_runs_at_a_tiny_scale_with_equal_tokens_and_resumes(tmp_path):
    tiny = dataclasses.replace(
        STUDY, scales={"tiny": Scale(3, None, 0.25, 16, 150_000, TINY, 64, 2)}
    )
    finding = tiny.run("tiny", tmp_path, 0, say=lambda line: None)
    read = finding.values["tokens"]
    assert read["with"][0] == pytest.approx(read["without"][0], rel=0.05)
    assert read["with"][0] == pytest.approx(150_000, rel=0.05)
    assert "difference" in finding.verdict
    again = tiny.run("tiny", tmp_path, 0, say=lambda line: None)
    assert again.values == finding.values
