"""Worlds `raw` and `through:FOLDER`: systems of `dag` that are only shown, and seen again."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from seedo.errors import UserError, is_number, one_of, whole
from seedo.worlds._dag_config import DagConfig, configure
from seedo.worlds._scm import System, draw_noise, simulate
from seedo.worlds._world import Action
from seedo.worlds.dag import DagWorld, Task
from seedo.worlds.raw._drawing import Drawing
from seedo.worlds.raw._drawings import DRAWINGS, REACH, drawing
from seedo.worlds.raw._encoder import errors_told, load_encoder, range_told, read_about

HANDS = ("single", "wide", "joint")
"""What knobs move: each its own variable; the first the second's variable too; the first and the
second both of their variables."""
_UP = (1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 12.0, 16.0)
DO_VALUES = (*(-value for value in reversed(_UP)), 0.0, *_UP)
"""What knobs are set to unless somebody says: sizes to learn a scale from, as far as others move
the variables too, and as far as the drawing tells them apart (`REACH`); beyond the largest a scale
could only be guessed."""
_NOISE = 0x5EE
"""Folded into a step's key for the noise of what is shown."""
_OWN = {"drawing": "gauges", "drawing_seed": 0, "hands": "single", "raw_noise": 0.02}


def _usual_values(drawing: str) -> tuple[float, ...]:
    reach = REACH.get(drawing, max(DO_VALUES))
    return tuple(value for value in DO_VALUES if abs(value) <= reach)


class RawObservation(NamedTuple):
    """What is seen before a step: as `Observation`, with a picture (or signals, numbers, or the
    characters of a line) in place of variables."""

    phase: Int[Array, ""]
    steps_left: Int[Array, ""]
    target: Int[Array, ""]
    value: Float[Array, ""]
    outcome: Float[Array, " n"]  # NaN: no variable is told
    relevant: Bool[Array, " n"]
    goal: Int[Array, ""]  # the variable that the knob of this number sets
    raw: Float[Array, ...]  # what followed the previous action; NaN at the first step
    setting: None = None


class _State(NamedTuple):
    """As in `dag`, and the key of how the last outcome is shown."""

    step: Int[Array, ""]
    target: Int[Array, ""]
    value: Float[Array, ""]
    outcome: Float[Array, " n"]
    key: PRNGKeyArray


class RawWorld(DagWorld):
    """Systems of world `dag` of which only something raw is shown.

    Variables are knobs here: what knob i sets is variable i, and which part of what is shown tells
    it nobody says. The same seed has the systems, goals and noise of a `dag` of these settings.
    Logs hold what was done, not what was shown: that is drawn again from seed, episode and actions,
    see `shown_in`.

    Args (beside those of `dag`, whose `do_values` are those of `DO_VALUES`
    that the drawing tells apart unless given):
        drawing: one of `DRAWINGS`. drawing_seed: of what shows which variable where.
        hands: one of `HANDS`.
        raw_noise: standard deviation of the noise of everything shown; in words, of every variable
            before it is told.
    """

    name = "raw"
    family: ClassVar[str] = "raw"
    no_strategies: ClassVar[str] = (
        "what is shown has no variables to read, `seedo abstract` and play in through:FOLDER"
    )
    measures_variables: ClassVar[bool] = False

    def __init__(
        self,
        config: DagConfig,
        drawing: str = "gauges",
        drawing_seed: int = 0,
        hands: str = "single",
        raw_noise: float = 0.02,
    ) -> None:
        one_of("drawing", drawing, tuple(DRAWINGS))
        one_of("hands", hands, HANDS)
        whole("drawing_seed", drawing_seed, 0, 2**31 - 1)
        if not is_number(raw_noise) or raw_noise < 0:
            raise UserError("raw_noise", raw_noise, "use a finite number >= 0")
        for field in ("confounders", "drift"):
            if getattr(config, field):
                raise UserError(field, getattr(config, field), f"not in world {self.name}: use 0")
        if config.levers != "same":
            raise UserError("levers", config.levers, f"not in world {self.name}: use same")
        if config.n > 25:
            raise UserError("n", config.n, "what is shown has room for 25 variables")
        self.shows: dict[str, Any] = {
            "drawing": drawing, "drawing_seed": drawing_seed, "hands": hands,
            "raw_noise": raw_noise,
        }  # fmt: skip
        super().__init__(config)

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> RawWorld:
        own = {name: options.pop(name, usual) for name, usual in _OWN.items()}
        if options.get("do_values") is None:
            options["do_values"] = _usual_values(own["drawing"])
        return RawWorld(configure(preset or "linear", split, **options), **own)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RawWorld:
        own = {name: config[name] for name in _OWN if name in config}
        rest = {name: value for name, value in config.items() if name not in _OWN}
        return RawWorld(DagConfig.from_dict(rest), **own)

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        return super().settings_of() | {"do_values": DO_VALUES} | _OWN

    @classmethod
    def choices_of(cls) -> dict[str, tuple[str, ...]]:
        return super().choices_of() | {"drawing": tuple(DRAWINGS), "hands": HANDS}

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in config.items() if name not in _OWN}
        own = {n: config[n] for n, usual in _OWN.items() if config.get(n, usual) != usual}
        found = super().own_settings(rest) | own
        if found.get("do_values") == list(_usual_values(config.get("drawing", _OWN["drawing"]))):
            del found["do_values"]
        return found

    def config(self) -> dict[str, Any]:
        return super().config() | self.shows

    @property
    def at_once(self) -> int:
        """What is shown is larger than what it shows."""
        return min(512, super().at_once)

    @functools.cached_property
    def drawing(self) -> Drawing:
        """How it is shown."""
        return drawing(self.shows["drawing"], self.spec.n, self.shows["drawing_seed"])

    @property
    def moved(self) -> Bool[np.ndarray, "n n"] | None:
        if self.shows["hands"] == "single":
            return None
        sets = np.eye(self.spec.n, dtype=bool)
        sets[0, 1], sets[1, 0] = True, self.shows["hands"] == "joint"
        return sets

    # -- acting ---------------------------------------------------------------------------------

    def reset(self, task: Task, key: PRNGKeyArray) -> Any:
        return _State(*super().reset(task, key), jax.random.fold_in(key, _NOISE))

    def step(self, task: Task, state: Any, action: Action, key: PRNGKeyArray) -> Any:
        after, reward, over = super().step(task, state, action, key)
        return _State(*after, jax.random.fold_in(key, _NOISE)), reward, over

    def observe(self, task: Task, state: Any) -> Any:
        seen = super().observe(task, state)
        told = seen._asdict() | {"outcome": jnp.full(self.spec.n, jnp.nan, jnp.float32)}
        return RawObservation(**told, raw=self.shown(state))

    def row(self, task: Task, before: Any, action: Action, reward: Any, after: Any) -> Any:
        return (
            super()
            .row(task, before, action, reward, after)
            ._replace(outcome=jnp.full(self.spec.n, jnp.nan, jnp.float32))
        )

    def shown(self, state: Any) -> Float[Array, ...]:
        """What is shown after the last step, with noise."""
        key, own = jax.random.split(state.key)
        return self.drawing.noisy(state.outcome, key, own, self.shows["raw_noise"])

    def shown_had(
        self, system: System, held: Float[Array, " n"], key: PRNGKeyArray
    ) -> Float[Array, ...]:
        """What a step would have shown, without the noise of showing, had variables been held.

        Args:
            held: what each variable would have been set to; NaN: left alone.
            key: of the step, as that of `step`: its noise would have been the same.
        """
        c = self.settings
        noise = draw_noise(key, (c.n,), c.noise_family)
        values = simulate(system, noise, jnp.isfinite(held), jnp.nan_to_num(held), c.mechanism)
        return self.drawing.draw(values, jax.random.split(jax.random.fold_in(key, _NOISE))[0])


class ThroughWorld(RawWorld):
    """`through:FOLDER`: a raw world seen through an abstraction, see `seedo abstract`.

    What is told are the variables that the abstraction finds in what is shown; what a knob was set
    to is known. All players of `dag` play, and logs hold the variables that were found. Systems,
    goals, noise and returns are those of the raw world.

    Args:
        abstraction: the folder. config: as in `raw`; what is shown is as the abstraction learnt it.

    Raises:
        UserError: no abstraction of a raw world of n variables, each with a knob of its own.
    """

    name = "through"
    family: ClassVar[str] = "dag"
    no_strategies: ClassVar[str] = ""
    measures_variables: ClassVar[bool] = True
    reads_variables: ClassVar[bool] = True
    named_by: ClassVar[str] = "abstraction"
    remade: ClassVar[bool] = True

    def __init__(self, config: DagConfig, abstraction: str, digest: str | None = None) -> None:
        if not abstraction:
            raise UserError("world", "through", "name an abstraction: through:FOLDER")
        self.encoder, about = load_encoder(Path(abstraction))
        if digest not in (None, about["sha256"]):
            raise UserError(abstraction, None, "it has changed since the log was written")
        shows = about.get("shows")
        if shows is None:
            remedy = "learnt from logs of another world than raw: it shows nothing to play in"
            raise UserError(abstraction, about.get("world"), remedy)
        if about["n"] != config.n:
            raise UserError("n", config.n, f"the abstraction is of {about['n']} variables")
        if missing := about["not_separable"]:
            remedy = f"knobs {', '.join(missing)} set no variable that could be told apart"
            raise UserError(abstraction, None, remedy)
        super().__init__(config, **shows)
        if not self._fits():
            remedy = f"its encoder reads no {config.n} variables off what is shown: abstract again"
            raise UserError(abstraction, None, remedy)
        self.named = {"abstraction": abstraction, "digest": about["sha256"]}
        self.errors, self.learnt = errors_told(about), range_told(about)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._said())

    @property
    def below(self) -> RawWorld:
        """The raw world that is seen through the abstraction."""
        return RawWorld(self.settings, **self.shows)

    def _said(self) -> Iterator[str]:
        said = f"variables are what {self.named['abstraction']} reads off what is shown"
        if self.errors is not None:
            named = zip(self.spec.variables, self.errors, strict=True)
            off = ", ".join(f"{name} {error:.2g}" for name, error in named)
            said += f" (root mean squared errors: {off})"
        yield said
        if (learnt := self.learnt) is not None:
            low, high = min(self.spec.do_values), max(self.spec.do_values)
            if low < learnt[0] or high > learnt[1]:
                yield (
                    f"knobs are set from {low:g} to {high:g}, and it has seen them set from "
                    f"{learnt[0]:g} to {learnt[1]:g}: beyond, it guesses"
                )

    def _fits(self) -> bool:
        seen = jax.ShapeDtypeStruct(self.drawing.shape, jnp.float32)
        try:
            read = jax.eval_shape(lambda raw: self.encoder(self.drawing.numbers(raw)), seen)
            return bool(read.shape == (self.spec.n,))
        except (TypeError, ValueError):
            return False

    @classmethod
    def spelt(cls, rest: str) -> str:
        """From where one is, if it lies there: `./a/` and the whole path to `a` are one folder."""
        own = os.path.relpath(rest)
        return os.path.abspath(rest) if own.startswith(os.pardir) else own

    @classmethod
    def make(cls, preset: str | None, split: str, **options: Any) -> ThroughWorld:
        folder = str(options.pop("abstraction", ""))
        for name in _OWN:
            if name in options:
                raise UserError(
                    name, options[name], "is as the abstraction learnt it: leave it out"
                )
        if folder and options.get("n") is None:
            options["n"] = read_about(Path(folder))["n"]
        return ThroughWorld(configure(preset or "linear", split, **options), folder)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ThroughWorld:
        own = (*_OWN, "abstraction", "digest")
        rest = {name: value for name, value in config.items() if name not in own}
        folder = str(config.get("abstraction", ""))
        world = ThroughWorld(DagConfig.from_dict(rest), folder, config.get("digest"))
        if any(config.get(name, own) != own for name, own in world.shows.items()):
            raise UserError(folder, None, "it has changed since the log was written")
        return world

    @classmethod
    def settings_of(cls) -> dict[str, Any]:
        return DagWorld.settings_of() | {"abstraction": ""}

    @classmethod
    def own_settings(cls, config: dict[str, Any]) -> dict[str, Any]:
        named = ("abstraction", "digest", *_OWN)
        return DagWorld.own_settings({n: v for n, v in config.items() if n not in named})

    def config(self) -> dict[str, Any]:
        return super().config() | self.named

    # What is read takes the place of variables as soon as a step is done, so that it is drawn and
    # read once, and all else is as in `dag`.
    observe = DagWorld.observe
    row = DagWorld.row

    def step(self, task: Task, state: Any, action: Action, key: PRNGKeyArray) -> Any:
        after, reward, over = super().step(task, state, action, key)
        found = self.encoder(self.drawing.numbers(self.shown(after)))
        known = jnp.arange(self.spec.n) == after.target
        return after._replace(outcome=jnp.where(known, after.value, found)), reward, over
