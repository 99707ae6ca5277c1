"""Raw worlds in the lab: what is shown in place of variables, and what an abstraction reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from seedo.errors import UserError
from seedo.lab._cast import CAUSES
from seedo.lab._frames import dag_frames, dag_setting
from seedo.lab._naming import Naming
from seedo.lab._on_graph import OnGraph
from seedo.lab._pictures import as_shown
from seedo.lab._scenario import Scenario, other
from seedo.lab._shown import Progress
from seedo.lab._turns import MOST_VALUES
from seedo.play import Live
from seedo.worlds import from_config
from seedo.worlds.raw import DRAWINGS, read_about, text_of

_DEALS = 1_000_000  # drawings that a person may be dealt
_APART = 4.0  # what a variable is set to, either way, to show which part is its own
_UNTOLD = "its player is told no variables: only what is shown"


class Raw(OnGraph):
    """World `raw`."""

    title = "raw worlds"
    pooled = False
    shape = "causes"
    players: tuple[str, ...] = ("scripted:expert", "scripted:random")
    usual: tuple[str, ...] = ("scripted:random", "scripted:expert")

    # -- Watch ------------------------------------------------------------------------------------

    def speakers(self, models: tuple[str, ...]) -> tuple[str, ...]:
        return ()  # no model is told anything in words

    def about(self, scenario: Scenario) -> str:
        world = scenario.stage()
        c, shows = world.settings, world.shows
        hands = "" if shows["hands"] == "single" else f", hands {shows['hands']}"
        return (
            f"Raw world, {shows['drawing']} (drawn from seed {shows['drawing_seed']}{hands}): "
            f"{c.n} variables, {c.experiments} experiments"
        )

    def variants(self, scenario: Scenario) -> list[tuple[str, Scenario]]:
        return [(name, _changed(scenario, drawing=name)) for name in DRAWINGS]

    def through(self, scenario: Scenario, folder: str) -> Scenario:
        world, name = scenario.stage(), f"through:{folder}"
        read = from_config(name, world.settings.to_dict())
        if differ := [k for k, v in world.shows.items() if read.shows[k] != v]:
            learnt = ", ".join(f"{k} {read.shows[k]}" for k in differ)
            raise UserError("through", folder, f"it learnt to read {learnt}: watch that")
        return replace(scenario, config=other(name, read.config()))

    def setting(self, scenario: Scenario) -> dict[str, Any]:
        return dag_setting(scenario) | {"world": "raw", "raw": True, "no_belief": _UNTOLD}

    def frames(self, scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
        told = dag_frames(scenario, name, progress)
        for frame in told["frames"]:
            frame.pop("outcome", None)
        return self._with_pictures(scenario, told)

    def _with_pictures(self, scenario: Scenario, told: dict[str, Any]) -> dict[str, Any]:
        """Add what was shown after every step, and how the variables truly were."""
        naming = Naming.of(scenario, scenario.begin())
        episode = scenario.begin()
        for frame in told["frames"][1:]:
            target = frame["target"]
            episode.act(target, naming.shown_value(target, frame["value"]))
            frame["shown"] = _told(episode.world, episode.observation.raw)
            frame["true"] = naming.shown(episode.state.outcome)
        return told

    # -- Play -------------------------------------------------------------------------------------

    def not_for_people(self, scenario: Scenario) -> str:
        values = len(scenario.stage().spec.do_values)
        if values > MOST_VALUES:
            return f"has {values} do_values: a person chooses among {MOST_VALUES} at most"
        return ""

    def seen(self, episode: Live, naming: Naming, step: int) -> dict[str, Any]:
        return {"shown": _told(episode.world, episode.seen[step + 1].raw)}

    def called(self, naming: Naming) -> list[str]:
        return [f"knob {word}" for word in naming.words]

    def rivals(self, scenario: Scenario) -> Scenario:
        """They are told the variables, unless some knob sets two: nobody plays that told."""
        world = scenario.stage()
        return scenario if world.moved is not None else replace(scenario, config=world.settings)

    def unveiled(
        self, scenario: Scenario, naming: Naming, moves: Sequence[tuple[int, float]]
    ) -> dict[str, Any]:
        episode: Any = scenario.begin()
        true = []
        for move in moves:
            episode.act(*move)
            true.append(naming.shown(episode.state.outcome))
        world = episode.world
        moved = np.eye(world.spec.n, dtype=bool) if world.moved is None else world.moved
        return {
            "rows": true,
            "parts": _parts(world, naming),
            "apart": _APART,
            "sets": [np.flatnonzero(row).tolist() for row in moved],
        }

    def another(self, scenario: Scenario, seed: int, index: int) -> Scenario:
        """Dealt anew: who knows which part is whose would have nothing to find there."""
        dealt = _changed(scenario, drawing_seed=seed % _DEALS)
        return super().another(dealt, seed, index)


class Through(Raw):
    """World `through:FOLDER`: a raw world as an abstraction reads it."""

    players = CAUSES
    usual = ("scripted:largest-effect", "pretrained:dag")

    def setting(self, scenario: Scenario) -> dict[str, Any]:
        folder = scenario.config.to_dict()["abstraction"]
        stated = _stated(read_about(Path(folder)), scenario.stage().spec.n)
        return dag_setting(scenario) | {
            "world": "raw", "raw": True, "through": folder, "stated": stated
        }  # fmt: skip

    def frames(self, scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
        world = scenario.stage()
        raw = other("raw", world.settings.to_dict() | world.shows)
        return self._with_pictures(
            replace(scenario, config=raw), dag_frames(scenario, name, progress)
        )


def _changed(scenario: Scenario, **settings: Any) -> Scenario:
    return replace(scenario, config=other("raw", scenario.config.to_dict() | settings))


def _stated(about: dict[str, Any], n: int) -> list[dict[str, Any] | None]:
    """What an abstraction says of its error, knob by knob; None where it does not say."""
    knobs = about.get("knobs")
    errors = [knob.get("error") if isinstance(knob, dict) else None for knob in knobs] \
        if isinstance(knobs, list) else []  # fmt: skip
    return (errors + [None] * n)[:n]


def _parts(world: Any, naming: Naming) -> list[dict[str, Any]]:
    """Variable by variable, what is shown (without noise) where it alone is low, or high, as people
    see its values, and the difference of the two: which part is its own."""
    own = _APART * np.diag(np.asarray(naming.signs, np.float32))
    low, high = (_drawn(world, values) for values in (-own, own))
    return [
        {"low": _told(world, a), "high": _told(world, b), "change": _change(world, a, b)}
        for a, b in zip(low, high, strict=True)
    ]


def _told(world: Any, raw: NDArray[np.float32]) -> dict[str, Any]:
    """What is shown, as JSON: `text` in words; otherwise by its shape."""
    return as_shown(raw) if world.drawing.reader is None else {"text": text_of(raw)}


def _change(world: Any, low: NDArray[np.float32], high: NDArray[np.float32]) -> dict[str, Any]:
    """How two showings differ; in words, the clauses that do."""
    if world.drawing.reader is None:
        return as_shown(abs(high - low))
    clauses = zip(text_of(low).split("; "), text_of(high).split("; "), strict=True)
    return {"text": "; ".join(f"{a} → {b}" for a, b in clauses if a != b)}


def _drawn(world: Any, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What rows of variables look like, without noise."""
    key = jax.random.key(0)  # of what means nothing (phases, wordings): the same for all
    return np.asarray(jax.vmap(lambda row: world.drawing.draw(row, key))(jnp.asarray(values)))
