"""How the lab shows a world: what each has to offer, and what every world has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seedo.episodes import EpisodeBatch
from seedo.errors import UserError
from seedo.lab._cast import Role, actor, kind, label, player, why_not
from seedo.lab._naming import Naming
from seedo.lab._scenario import MOST_STEPS, STREAM, Scenario
from seedo.lab._turns import MOST_VALUES, Option, Turn, plain_turn
from seedo.play import Live, episodes

_MOST_STEPS = 600  # that are shown


class Progress(Protocol):
    """Called with (steps done, steps in all, what is being done)."""

    def __call__(self, done: int, total: int, doing: str | None = None) -> None: ...


class Truth(NamedTuple):
    """The system behind an episode.

    Attributes:
        weights: float64[m, m], cause before effect; the variables first, then hidden ones.
        noise: float64[m], standard deviations; None: unknown.
        source: `logged`, or `drawn again` from the seed.
    """

    weights: NDArray[np.float64]
    noise: NDArray[np.float64] | None
    source: str


class Sweep(NamedTuple):
    """A setting that may vary from comparison to comparison.

    Attributes:
        label: for people.
        whole: only whole numbers.
        lowest, highest: what is accepted.
        usual: values to begin with.
        drawn: whether it means anything for a system drawn by hand.
    """

    label: str
    whole: bool
    lowest: float
    highest: float
    usual: tuple[float, ...]
    drawn: bool = False


class Shown:
    """A world that the lab knows only by the protocol: its variables, actions and outcomes.

    Attributes:
        name: of the world.
        title: for people.
        shape: how a page paints its frames: `causes`, `room` or `plain`.
        pooled: whether all episodes of a log may be about one system, and asked about together.
        players, spoken: who can act in it, as on the command line; `spoken` in words; with no
            `players`, its own and one by chance.
        usual: whom Watch opens with.
        why_first: what to know of the system that it opens with; "": nothing.
        sweeps: settings that may vary in a comparison, by name.
    """

    title = ""
    shape = "plain"
    pooled = True
    players: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    usual: tuple[str, ...] = ("scripted:random",)
    why_first = ""
    sweeps: ClassVar[Mapping[str, Sweep]] = {}
    graphs: ClassVar[bool] = False
    """Whether a person's game is about a graph, whose exact expectations say what each try was
    worth, and the page shows effects and beliefs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = self.title or name

    # -- who acts ---------------------------------------------------------------------------------

    def cast(
        self, scenario: Scenario, agents: tuple[str, ...] = (), models: tuple[str, ...] = ()
    ) -> list[Role]:
        """Everyone, in the order to offer them; `agents` are folders, `models` language
        models, as players are named."""
        names = (*self.named(scenario.stage()), *agents)
        able = [Role(n, label(n), kind(n), why_not(n, scenario)) for n in names]
        spoken = (*self.spoken, *self.speakers(models))
        return able + [Role(name, label(name), "language") for name in spoken]

    def speakers(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Of these language models, those that are told this world in words; none is loaded."""
        return models

    def named(self, world: Any) -> tuple[str, ...]:
        """Who can act in it, as on the command line, but for those in words."""
        own = (f"scripted:{name}" for name in (*world.players, "random"))
        return self.players or tuple(dict.fromkeys(own))

    # -- Watch ------------------------------------------------------------------------------------

    def first(self) -> Scenario:
        """What Watch opens with."""
        return Scenario.from_json({"world": self.name})

    def about(self, scenario: Scenario) -> str:
        """The scenario in a line."""
        spec = scenario.stage().spec
        return f"World {self.name}: {spec.n} variables, {spec.steps} steps"

    def setting(self, scenario: Scenario) -> dict[str, Any]:
        """What is the same for everyone who plays, the hidden system included, as JSON."""
        spec = self._small(scenario)
        return {
            "names": list(spec.variables),
            "hidden": 0,
            "phases": list(spec.phases),
            "no_belief": "the exact posterior is for world dag",
        }

    def frames(self, scenario: Scenario, name: str, progress: Progress) -> dict[str, Any]:
        """The frames of one of our own players, as JSON.

        Raises:
            UserError: it cannot act here, or episodes too long to be shown.
        """
        steps = self._small(scenario).steps
        progress(0, steps, "preparing and playing the episode")
        acting, stage = player(name, scenario), scenario.stage()
        batch = episodes(stage, acting, scenario.seed, STREAM, scenario.index, 1)
        progress(steps, steps)
        frames: list[dict[str, Any]] = [{}]
        frames += [
            {
                "target": int(batch.target[0, t]),
                "value": finite(batch.value[0, t]),
                "outcome": [finite(x) for x in batch.outcome[0, t]],
                "goal": int(batch.goal[0, t]),
            }
            for t in range(batch.steps)
        ]
        references = {
            "oracle": finite(batch.oracle_return[0]), "random": finite(batch.random_return[0])
        }  # fmt: skip
        return {"frames": frames, "returns": finite(batch.returns[0]), **references}

    def scene(self, scenario: Scenario, names: str) -> Any:
        """The same for players in words, who are told of variables by names of this kind.

        Raises:
            UserError: nobody plays this world in words.
        """
        raise UserError("player", None, f"nobody plays world {self.name} in words")

    def tell(self, scenario: Scenario, scene: Any) -> dict[str, Any]:
        """The frames of a finished scene."""
        raise NotImplementedError  # no scene, none to tell

    def variants(self, scenario: Scenario) -> list[tuple[str, Scenario]]:
        """The same settings shown in other ways, each with what people call it."""
        return []

    def through(self, scenario: Scenario, folder: str) -> Scenario:
        """The scenario as players see it through an abstraction.

        Raises:
            UserError: it shows nothing raw, or this abstraction does not read it.
        """
        raise UserError("through", folder, f"world {self.name} shows nothing raw: leave it out")

    # -- Play -------------------------------------------------------------------------------------

    def not_for_people(self, scenario: Scenario) -> str:
        """Why a person cannot play it here; "" if one can."""
        stage, watch = scenario.stage(), "look at it in Watch"
        if stage.spec.space is not None or not stage.spec.do_values:
            return f"not playable by a person here, as several things are set at once: {watch}"
        if stage.dear:
            return f"not playable by a person here, as its readings cost something: {watch}"
        if len(stage.spec.do_values) > MOST_VALUES:
            values = len(stage.spec.do_values)
            return f"has {values} do_values: a person chooses among {MOST_VALUES} at most"
        if stage.spec.steps > MOST_STEPS:
            return f"has {stage.spec.steps} steps: a person plays {MOST_STEPS} at most"
        return ""

    def opponents(self, scenario: Scenario) -> tuple[str, ...]:
        """Whom a person plays against."""
        return self.named(scenario.stage())[:4]

    def begin(self, scenario: Scenario) -> Live:
        """A fresh episode for choices one after another."""
        return scenario.begin()

    def actor(self, name: str, scenario: Scenario, episode: Live) -> Any:
        """A player at such an episode's beginning; `action()` is its next choice.

        Raises:
            UserError: no such player, or one that cannot act here.
        """
        return actor(name, scenario, episode)

    def carry_out(self, episode: Live, naming: Naming, move: tuple[int, float]) -> dict[str, Any]:
        """Do what was chosen; what a person is shown of it, as JSON."""
        told = {"did": self.words(episode, naming, move)}
        episode.act(*move)
        return told | self.seen(episode, naming, episode.step - 1)

    def words(self, episode: Live, naming: Naming, move: tuple[int, float]) -> str:
        """What somebody would do at the next step, as a person would be offered it."""
        turn = self.turn(episode, naming)
        option = turn.find(move[0], naming.shown_value(*move))
        return "nothing" if option is None else self.made(naming, turn, option)

    def made(self, naming: Naming, turn: Turn, option: Option) -> str:
        """A choice in words, once it is made."""
        return option.label

    def lead(self, scenario: Scenario) -> str:
        """What a person is told before the first step."""
        return (
            "Set one variable at a time and see what follows. When your experiments are used up, "
            "what you choose counts."
        )

    def turn(self, episode: Live, naming: Naming) -> Turn:
        """What a person may choose at the next step, of an episode that is not over."""
        return plain_turn(episode, naming)

    def read(self, episode: Live, naming: Naming, target: int, value: float) -> tuple[int, float]:
        """A choice as the person sees it, in the system's own units.

        Raises:
            UserError: it is not allowed at the next step.
        """
        option = self.turn(episode, naming).read(target, value)
        return option.target, naming.shown_value(option.target, option.value)

    def stages(self, episode: Live) -> tuple[list[int], int]:
        """The phases of a game's stages, and how many of them are over."""
        return list(episode.world.spec.phases), episode.step

    def columns(self, naming: Naming) -> list[str]:
        """What is seen after every step, by name."""
        return list(naming.words)

    def verdict(self, episode: Live, naming: Naming, moves: Sequence[tuple[int, float]]) -> str:
        """A finished game in plain words."""
        best, chance = finite(episode.oracle_return), finite(episode.random_return)
        said = [f"You earned {number(episode.returns)}"]
        said += [] if best is None else [f"whoever knows the system earns {number(best)}"]
        said += [] if chance is None else [f"choosing blindly earns {number(chance)} on average"]
        return f"{'; '.join(said)}."

    def truth(self, episode: Live, naming: Naming) -> list[str]:
        """What was hidden, in lines, once a game is over."""
        return []

    def seen(self, episode: Live, naming: Naming, step: int) -> dict[str, Any]:
        """What a person is shown of what followed a step, as JSON."""
        values = naming.shown(episode.seen[step + 1].outcome)
        return {"cells": ["–" if value is None else number(value) for value in values]}

    def called(self, naming: Naming) -> list[str]:
        """What a person can set, by name."""
        return list(naming.words)

    def rivals(self, scenario: Scenario) -> Scenario:
        """The scenario as those play it with whom a person is compared: the same system and noise,
        and the same actions."""
        return scenario

    def unveiled(
        self, scenario: Scenario, naming: Naming, moves: Sequence[tuple[int, float]]
    ) -> dict[str, Any] | None:
        """What a person was not shown, beside the system, once a game is over; None: nothing."""
        return None

    def another(self, scenario: Scenario, seed: int, index: int) -> Scenario:
        """Another system of the same kind for a person to play, drawn by lot."""
        return replace(scenario, seed=seed, index=index, drawn=None)

    def _small(self, scenario: Scenario) -> Any:
        spec = scenario.stage().spec
        if spec.steps > _MOST_STEPS:
            raise UserError("steps", spec.steps, f"the lab shows episodes of at most {_MOST_STEPS}")
        return spec

    # -- Build, Compare ---------------------------------------------------------------------------

    def sight(self, scenario: Scenario) -> dict[str, Any] | None:
        """What one sees of its system at a glance; None: nothing."""
        return None

    def compared(self, scenario: Scenario) -> str:
        """The world of a comparison in one line."""
        return f"World {self.name}"

    # -- Look back --------------------------------------------------------------------------------

    def did(self, batch: EpisodeBatch) -> list[str] | None:
        """What was done in an episode [1, S] before its end, in words; None: as it is logged."""
        return None

    def pictures(self, batch: EpisodeBatch, stream: str | None) -> NDArray[np.uint8]:
        """What was seen before every step, uint8[S, 99, 99, 3].

        Raises:
            UserError: this world has no pictures, or they cannot be drawn again.
        """
        raise UserError("world", batch.origin.world, "only rooms have pictures")

    def no_belief(self, batch: EpisodeBatch) -> str:
        """Why there is no posterior over graphs for an episode; "" if there is."""
        return "the exact posterior is for world dag"

    def drawn_again(self, batch: EpisodeBatch, stream: str | None) -> Truth | None:
        """The system found again from seed, stream and number; None if it cannot be, or if what the
        log says of its returns is not true of it."""
        return None

    def again(
        self, batch: EpisodeBatch, stream: str | None, truth: Truth | None
    ) -> tuple[Scenario, str]:
        """A scenario on the same system, and what is different about it.

        Raises:
            UserError: there is none.
        """
        scenario = Scenario.of_log(batch)
        steps = scenario.stage().spec.steps
        if steps != batch.steps:
            raise UserError("steps", batch.steps, f"this world has {steps}")
        if stream == STREAM:
            return scenario, ""
        return self._with_other_noise(
            scenario, batch, truth
        ), "the same system and goal, other noise"

    def _with_other_noise(
        self, scenario: Scenario, batch: EpisodeBatch, truth: Truth | None
    ) -> Scenario:
        remedy = "it was drawn to learn from, and the lab plays other episodes"
        raise UserError("log", None, remedy)


def known(number: float) -> float | None:
    """None where it is no number."""
    return float(number) if math.isfinite(number) else None


def finite(number: Any) -> float | None:
    """Rounded, or None where it is no number."""
    return round(float(number), 4) if math.isfinite(number) else None


def number(value: float) -> str:
    """As people read it: at most two decimals, a true minus sign."""
    rounded = round(value, 2) + 0.0  # no "-0"
    return f"{rounded:.2f}".replace("-", "−").removesuffix("0").removesuffix(".0")
