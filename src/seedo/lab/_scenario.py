"""What is put on stage: a world, one of its systems or one drawn by hand, and what it is called.

A scenario is everything that decides what happens except who acts. As text it is short enough for
a link.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import networkx as nx
import numpy as np

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError, one_of, whole
from seedo.lab._called import Called
from seedo.lab._once import once
from seedo.play import Live
from seedo.worlds import (
    DagConfig,
    DagWorld,
    RoomsConfig,
    RoomsWorld,
    System,
    configure,
    configure_rooms,
    from_config,
    make,
    variable_names,
)
from seedo.worlds import plain_names as world_names

STREAM = "perform"
"""The stream that scenarios take their noise from: what `perform` plays, the lab plays."""

NAMES = ("letters", "nonsense", "familiar", "contrary")
MOST_VARIABLES = 12
MOST_STEPS = 60
MOST_TEXT = 20_000  # characters of a link or a file
_MOST_JSON = 200_000
_MOST_WEIGHT = 20.0
_MOST_NUMBER = 1e6  # of a setting
_RAW_VALUES = (-2.0, 2.0)
"""What knobs of raw worlds are set to in the lab unless a link says otherwise: as in `dag`, so that
whoever plays there can play here too."""


@dataclass(frozen=True)
class OtherConfig:
    """Settings of a world that the lab keeps as the world itself writes them.

    Attributes:
        world: its name.
        text: its configuration as JSON.
    """

    world: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(self.text)
        return plain


Config = Any
"""`DagConfig`, `RoomsConfig` or `OtherConfig`."""


@dataclass(frozen=True)
class Drawn:
    """A linear system given by hand.

    Attributes:
        weights: [m, m], cause before effect; the variables first, then hidden ones.
        noise: [m], standard deviations.
        goal: the variable to raise.
        places: [m] of (x, y) in the unit square: where they are drawn; empty: a circle.
    """

    weights: tuple[tuple[float, ...], ...]
    noise: tuple[float, ...]
    goal: int
    places: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Scenario:
    """See the module.

    Attributes:
        config: settings of its world.
        seed, index: which of its episodes.
        names: what variables are called, one of `NAMES`.
        drawn: in place of the system that the world would draw; world `dag` only.
        called: names of one's own, in place of `names`; world `dag` only.

    Raises:
        UserError: a value that cannot be used, or more than the lab can show.
    """

    config: Config
    seed: int = 0
    index: int = 0
    names: str = "letters"
    drawn: Drawn | None = None
    called: Called | None = None

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0, 2**32 - 1)
        whole("index", self.index, 0, 2**31 - 1)
        one_of("names", self.names, NAMES)
        _kind(self.world).check(self.config)
        if self.drawn is not None:
            _check_drawn(_drawable(self.config), self.drawn)
        if self.called is not None:
            if not isinstance(self.config, DagConfig):
                raise UserError("called", None, "only variables of world dag can be named")
            if len(self.called.names) != self.config.n:
                given = len(self.called.names)
                raise UserError("names", f"{given} given", f"name all {self.config.n} variables")

    @property
    def world(self) -> str:
        return world_of(self.config)

    def stage(self) -> Any:
        """The world; the same object for equal settings, so that it is compiled for once."""
        return stage_of(self.config)

    def begin(self) -> Live:
        """A fresh episode: the same system and noise every time."""
        with once("begin", self.config, self.drawn is None):
            return Live(self.stage(), self.seed, STREAM, self.index, self.task(), quickly=True)

    def task(self) -> Any:
        """That of the drawn system and its goal; None: the world draws."""
        if self.drawn is None:
            return None
        weights = jnp.asarray(self.drawn.weights, jnp.float32)
        system = System(weights, jnp.asarray(self.drawn.noise, jnp.float32))
        return self.stage().given(system, self.drawn.goal)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads; the settings in full."""
        plain: dict[str, Any] = {
            "format": 1,
            "world": self.world,
            "config": self.config.to_dict(),
            "seed": self.seed,
            "index": self.index,
            "names": self.names,
        }
        if self.drawn is not None:
            plain["drawn"] = {
                "weights": [list(row) for row in self.drawn.weights],
                "noise": list(self.drawn.noise),
                "goal": self.drawn.goal,
                "places": [list(place) for place in self.drawn.places],
            }
        if self.called is not None:
            plain["called"] = self.called.to_json()
        return plain

    @staticmethod
    def from_json(plain: object) -> Scenario:
        """A scenario from anybody's JSON; `config` may leave out what is as in its preset.

        Raises:
            UserError: names the field that cannot be used.
        """
        fields = _mapping("scenario", plain, ("format", "world", "config", "seed", "index", "names",
                                              "drawn", "called"))  # fmt: skip
        if fields.get("format", 1) != 1:
            raise UserError("format", fields["format"], "this lab reads format 1")
        world = fields.get("world", "dag")
        one_of("world", world, world_names())
        config = _config(world, fields.get("config", {}))
        drawn = None if fields.get("drawn") is None else _drawn(fields["drawn"])
        if drawn is not None:
            config = _to_fit(config, drawn)
        names = fields.get("names", "letters")
        called = None if fields.get("called") is None else Called.from_json(fields["called"])
        where = fields.get("seed", 0), fields.get("index", 0)
        return Scenario(config, *where, names, drawn, called)

    @staticmethod
    def of_log(batch: EpisodeBatch) -> Scenario:
        """The scenario of a log's first episode, if it is of stream `STREAM`.

        Raises:
            UserError: its world is none of ours, or not one that the lab can show.
        """
        world = batch.origin.world
        if world not in world_names():
            raise UserError("world", world[:80], "it cannot be played here")
        config = _kind(world).from_dict(json.loads(batch.origin.world_config))
        return Scenario(config, batch.origin.seed, int(batch.episode_id[0]))


def encode(scenario: Scenario) -> str:
    """The scenario as text for a link (URL-safe)."""
    plain = scenario.to_json()
    usual = _config(scenario.world, {}).to_dict()
    plain["config"] = {k: v for k, v in plain["config"].items() if usual.get(k) != v}
    plain["config"] |= {k: plain["config"].get(k, v) for k, v in _kind(scenario.world).always}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True)
    packed = zlib.compress(text.encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str) -> Scenario:
    """The inverse of `encode`, of anybody's text.

    Raises:
        UserError: not a scenario, or one that cannot be used.
    """
    if len(text) > MOST_TEXT:
        raise UserError("link", f"{len(text)} characters", f"use at most {MOST_TEXT}")
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(packed, _MOST_JSON)
        if not unpacking.eof:
            raise UserError("link", text[:20], "too long, or cut off: copy it again")
        fields = read_json(plain.decode())
    except (ValueError, binascii.Error, zlib.error) as error:
        if isinstance(error, UserError):
            raise
        raise UserError("link", text[:20], "damaged: copy it again") from error
    return Scenario.from_json(fields)


def read_json(text: str) -> Any:
    """JSON without NaN, infinities or nesting beyond reason.

    Raises:
        UserError: it is not.
    """

    def refuse(constant: str) -> None:
        raise UserError("JSON", constant, "use finite numbers")

    try:
        return json.loads(text, parse_constant=refuse)
    except UserError:
        raise
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is no JSONDecodeError
        raise UserError("JSON", text[:20], "not readable: save the scenario again") from error


def redrawn(scenario: Scenario, drawn: Drawn) -> Scenario:
    """The same with another drawn system."""
    return replace(scenario, config=_to_fit(scenario.config, drawn), drawn=drawn)


@functools.lru_cache(maxsize=256)
def stage_of(config: Config) -> Any:
    """The world of these settings; the same object for equal settings."""
    return _kind(world_of(config)).make(config)


def world_of(config: Config) -> str:
    """The name of the world that has these settings."""
    if isinstance(config, OtherConfig):
        return config.world
    return next(name for name, kind in _KINDS.items() if type(config) is kind.config)


def _config(world: str, given: object) -> Config:
    fields = {k: v for k, v in _mapping("config", given).items() if v is not None}
    preset, split = fields.pop("preset", None), fields.pop("split", "train")
    for field in ("do_values", "costs"):
        if isinstance(fields.get(field), list):
            fields[field] = tuple(fields[field])
    if not isinstance(split, str) or not isinstance(preset, str | None):
        raise UserError("config", None, "preset and split are names")
    for field, value in fields.items():
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and not abs(number) <= _MOST_NUMBER:
                remedy = f"nothing here goes beyond {_MOST_NUMBER:.0f}: use a smaller number"
                raise UserError(field, str(number)[:40], remedy)
    return _kind(world).configure(preset, split, fields)


class _Kind(NamedTuple):
    """How the settings of a world are read.

    Attributes:
        config: the class of its settings.
        configure: settings of (preset, split, fields).
        from_dict: settings of a log's `world_config`.
        make: the world of its settings.
        check: raises UserError for what the lab cannot show.
        always: fields, and their usual values, that a link names even where they are as usual.
    """

    config: type
    configure: Callable[[str | None, str, dict[str, Any]], Config]
    from_dict: Callable[[dict[str, Any]], Config]
    make: Callable[[Config], Any]
    check: Callable[[Config], None] = lambda config: None
    always: tuple[tuple[str, Any], ...] = ()


def _dag(preset: str | None, split: str, fields: dict[str, Any]) -> DagConfig:
    _check_sizes(fields)
    return configure(preset or "linear", split, **fields)


def _check_sizes(fields: dict[str, Any]) -> None:
    """Before anything is made of them."""
    limits = {"n": (2, MOST_VARIABLES)}
    for field in ("n", "observations", "experiments", "exploits"):
        if field in fields:
            whole(field, fields[field], *limits.get(field, (0, MOST_STEPS)))


def _check_dag(c: DagConfig) -> None:
    whole("n", c.n, 2, MOST_VARIABLES)
    whole("steps", c.steps, 1, MOST_STEPS)
    if c.drift:
        raise UserError("drift", c.drift, "the lab shows constant systems: leave it out")
    if c.levers != "same":
        raise UserError("levers", c.levers, "the lab sets variables to the values it shows")
    if c.costs:
        raise UserError("costs", c.costs, "in the lab setting a variable is free: leave them out")
    whole("confounders", c.confounders, 0, 3)
    if c.split == "heldout-link" and max(map(abs, c.do_values)) * c.weight_scale < 1e-3:
        # Systems are drawn until D is the best lever for E, which here none would be.
        raise UserError("do_values", c.do_values, "too small for split 'heldout-link'")
    if len(c.do_values) > 8:
        raise UserError("do_values", c.do_values, "the lab shows at most 8")


def _rooms(preset: str | None, split: str, fields: dict[str, Any]) -> RoomsConfig:
    return configure_rooms(preset or "default", split, **fields)


def other(world: str, config: dict[str, Any]) -> OtherConfig:
    """Settings as their world writes them."""
    return OtherConfig(world, json.dumps(config, sort_keys=True))


def _raw(preset: str | None, split: str, fields: dict[str, Any]) -> OtherConfig:
    _check_sizes(fields)
    return other("raw", make("raw", preset, split, **{"do_values": _RAW_VALUES} | fields).config())


def _check_raw(config: OtherConfig) -> None:
    c = config.to_dict()
    whole("n", c["n"], 2, MOST_VARIABLES)
    whole("steps", stage_of(config).spec.steps, 1, MOST_STEPS)
    if c.get("costs"):
        raise UserError("costs", c["costs"], "in the lab setting a knob is free: leave them out")


_KINDS = {
    "dag": _Kind(DagConfig, _dag, DagConfig.from_dict, DagWorld, _check_dag, (("experiments", 5),)),
    "rooms": _Kind(RoomsConfig, _rooms, RoomsConfig.from_dict, RoomsWorld),
    "raw": _Kind(
        OtherConfig,
        _raw,
        lambda config: other("raw", from_config("raw", config).config()),
        lambda config: from_config("raw", config.to_dict()),
        _check_raw,
        (("do_values", list(_RAW_VALUES)),),
    ),
}


@functools.cache
def _kind(world: str) -> _Kind:
    """How the settings of a world are read; of all but ours, by the protocol alone."""

    def configured(preset: str | None, split: str, fields: dict[str, Any]) -> OtherConfig:
        return other(world, make(world, preset, split, **fields).config())

    return _KINDS.get(world) or _Kind(
        OtherConfig,
        configured,
        functools.partial(other, world),
        lambda config: from_config(world, config.to_dict()),
    )


def _drawable(config: Config) -> DagConfig:
    if not isinstance(config, DagConfig):
        raise UserError("drawn", None, "only systems of world dag can be drawn")
    return config


_LEAST = 1e-6
"""Variance for which a system without any noise stands: a world knows none of 0."""


def _to_fit(config: Config, drawn: Drawn) -> DagConfig:
    """Settings under which the drawn system is one that the world might have drawn."""
    config = _drawable(config)
    weights = np.asarray(drawn.weights)
    n = config.n
    parents = int((weights[:, :n] != 0).sum(axis=0).max(initial=0))
    variances = np.square(drawn.noise[:n])
    changed: dict[str, Any] = {
        "split": "drawn",
        "mechanism": "linear",
        "noise_family": "gaussian",
        # Unequal noise is no single known variance, and nobody is to assume that it is.
        "noise_variance": float(f"{max(variances.mean(), _LEAST):.6g}"),
        "noise_variance_sd": float(f"{variances.std():.6g}"),
        "shocks": "none",
        "shock_scale": 1.0,
        "confounders": len(weights) - n,
        "max_parents": min(max(config.max_parents, parents), n - 1),
        "relevant": None,
        "goals": "same",
    }
    return replace(config, **changed)


def _mapping(field: str, value: object, known: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
        raise UserError(field, str(value)[:40], "use a JSON object")
    for key in value:
        if known is not None and key not in known:
            raise UserError(field, key[:40], f"use only {', '.join(known)}")
    return dict(value)


def _numbers(field: str, value: object, length: int | None = None) -> tuple[float, ...]:
    good = isinstance(value, list | tuple) and len(value) <= MOST_VARIABLES + 3
    if not good or (length is not None and len(value) != length):  # type: ignore[arg-type]
        raise UserError(field, str(value)[:40], f"use a list of {length or 'a few'} numbers")
    for number in value:  # type: ignore[attr-defined]
        plain = isinstance(number, int | float) and not isinstance(number, bool)
        if not plain or not abs(number) <= _MOST_NUMBER:
            raise UserError(field, str(number)[:40], "use finite numbers")
    return tuple(float(x) for x in value)  # type: ignore[attr-defined]


def _drawn(given: object) -> Drawn:
    fields = _mapping("drawn", given, ("weights", "noise", "goal", "places"))
    rows = fields.get("weights")
    if not isinstance(rows, list) or not 2 <= len(rows) <= MOST_VARIABLES + 3:
        raise UserError("weights", str(rows)[:40], "use a square list of lists")
    weights = tuple(_numbers("weights", row, len(rows)) for row in rows)
    noise = _numbers("noise", fields.get("noise", [1.0] * len(rows)), len(rows))
    places = fields.get("places") or []
    if not isinstance(places, list) or len(places) not in (0, len(rows)):
        raise UserError("places", str(places)[:40], "use a pair of numbers for every variable")
    pairs = [_numbers("places", place, 2) for place in places]
    return Drawn(weights, noise, fields.get("goal", 0), tuple((x, y) for x, y in pairs))


def _check_drawn(config: DagConfig, drawn: Drawn) -> None:
    weights = np.asarray(drawn.weights)
    m, n = len(weights), config.n
    whole("goal", drawn.goal, 0, n - 1)
    if not n <= m <= n + 3:
        raise UserError("weights", f"{m} variables", f"use n={n}, and at most 3 hidden ones")
    names = (*variable_names(n), *(f"H{i + 1}" for i in range(m - n)))
    if (abs(weights) > _MOST_WEIGHT).any():
        i, j = np.argwhere(abs(weights) > _MOST_WEIGHT)[0]
        remedy = f"use a weight from {-_MOST_WEIGHT:g} to {_MOST_WEIGHT:g}"
        raise UserError(f"{names[i]} -> {names[j]}", float(weights[i, j]), remedy)
    for name, scale in zip(names, drawn.noise, strict=True):
        if not 0 < scale <= _MOST_WEIGHT:
            raise UserError(f"noise of {name}", scale, f"use a number above 0, to {_MOST_WEIGHT:g}")
    if (weights[:, n:] != 0).any():
        raise UserError("hidden", names[n], "hidden variables have no causes: remove those arrows")
    cycle = find_cycle(weights)
    if cycle is not None:
        said = " -> ".join(names[i] for i in cycle)
        raise UserError("graph", said, "no variable may cause itself: remove one of these arrows")


def find_cycle(weights: np.ndarray) -> list[int] | None:
    """Variables along a directed cycle, the first again at the end; None: there is none."""
    graph = nx.from_numpy_array(weights != 0, create_using=nx.DiGraph)
    try:
        edges = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return None
    return [*(int(edge[0]) for edge in edges), int(edges[0][0])]
