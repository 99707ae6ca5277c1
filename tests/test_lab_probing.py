"""What linear probes read off a watched network's states, in the lab."""

import time

import jax
import numpy as np
import pytest

from lab_client import visitor
from lab_server import running
from seedo import abstraction, learning, play
from seedo.lab import Scenario, encode
from seedo.lab import _probing as probing
from seedo.worlds import configure

SMALL = Scenario(configure(n=3, experiments=2), index=4)


@pytest.fixture(scope="module", autouse=True)
def _few_episodes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probing, "EPISODES", 90)
        yield


@pytest.fixture(scope="module")
def me(tmp_path_factory):
    return visitor(tmp_path_factory.mktemp("lab"))


def asked(me, scenario, player, begin=True):
    sent = {"s": encode(scenario), "player": player, "begin": begin}
    for _ in range(1800):
        answer = me.post("/api/watch/decoded", json=sent)
        assert answer.status_code == 200, answer.text
        if answer.json()["state"] != "preparing":
            return answer.json()
        sent["begin"] = False
        time.sleep(0.1)
    raise AssertionError(answer.json())


def test_probes_wait_until_asked_for_then_serve_every_system_of_the_kind(me):
    assert asked(me, SMALL, "pretrained:dag", begin=False)["state"] == "waiting"
    shown = asked(me, SMALL, "pretrained:dag")
    world = SMALL.stage()
    agent, untrained = learning.open_network("pretrained:dag", world, 1)
    batch = play.episodes(world, agent, 0, "probes", 0, 90, systems=True)
    looking = abstraction.look(agent.network, untrained, world, batch, steps=range(3))
    decoder = abstraction.decoder(looking)
    own = play.episodes(world, agent, SMALL.seed, "perform", SMALL.index, 1)
    edges = decoder(agent.network, learning.batch_inputs(own))[0]
    np.testing.assert_allclose(shown["edges"], edges, atol=2e-3)
    for who in ("found", "untrained", "known"):
        values = [estimate.value for estimate in getattr(decoder, who)]
        assert [one["value"] for one in shown["auc"][who]] == pytest.approx(values, abs=1e-6)
    assert (shown["taught"], shown["tested"]) == (60, 30)
    other = Scenario(SMALL.config, index=9)
    assert asked(me, other, "pretrained:dag", begin=False)["edges"] != shown["edges"]
    assert jax.tree.leaves(agent.network)  # read, not changed


@pytest.mark.parametrize(
    ("scenario", "player", "why"),
    [
        (SMALL, "scripted:random", "no network"),
        (Scenario(configure("lampinen")), "pretrained:dag-soft", ""),
        (Scenario(configure(n=3, confounders=1)), "pretrained:dag", "confounders"),
        (Scenario(configure(n=3, experiments=30)), "pretrained:dag", "24 steps"),
        (Scenario.from_json({"world": "raw", "config": {"n": 3}}), "scripted:random", "no network"),
    ],
)
def test_what_cannot_be_probed_says_why(me, scenario, player, why):
    answer = asked(me, scenario, player)
    assert answer["state"] == "unavailable"
    assert why in answer["why"]
    assert answer["why"]


def test_the_page_shows_decoded_arrows_beside_the_exact_ones(visit, tmp_path, figure):
    with running(tmp_path) as address:
        page = visit(f"{address}/watch?s={encode(SMALL)}&players=pretrained:dag&step=2")
        page.get_by_role("button", name="Fit probes").click(timeout=200_000)
        box = page.locator(".decoded")
        box.locator("svg.graph").wait_for(timeout=400_000)
        said = box.inner_text()
        for words in ("linear probe", "exact posterior", "untrained network", "Apart from"):
            assert words in said
        box.get_by_text("All arrows in numbers").click()
        assert box.locator("thead th").all_inner_texts() == ["Arrow", "probe", "exact", "true"]
        assert box.locator("tbody tr").count() == 6
        figure(page, "watch-decoded")
        page.keyboard.press("End")
        assert "chooses no more" in box.inner_text()
        page.reload()  # fitted once
        box.get_by_text("chooses no more").wait_for(timeout=200_000)
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
