"""World `blicket` in the lab: objects are put on a machine that lights up for some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seedo.experimenters import BLICKET_PLAYERS
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.lab._shown import Shown
from seedo.lab._turns import Line, Option, Turn, place
from seedo.play import Live
from seedo.worlds import EXPLOIT

_RULES = ("any blicket is on it", "all blickets are on it")


class Blicket(Shown):
    """World `blicket`."""

    title = "blickets"
    pooled = False
    players = (*(f"scripted:{name}" for name in BLICKET_PLAYERS), "bayes:eig")
    usual = players[:4]

    def about(self, scenario: Scenario) -> str:
        c = scenario.stage().settings
        return f"Blickets: {c.n} objects, {c.toggles} experiments"

    # -- Play -------------------------------------------------------------------------------------

    def lead(self, scenario: Scenario) -> str:
        c = scenario.stage().settings
        told = " or ".join(_RULES[("or", "and").index(rule)] for rule in c.told)
        noise = f" Its light is wrong {100 * c.flip:g} % of the time." if c.flip else ""
        return (
            f"Some of these objects are blickets. The machine lights up if {told}.{noise} Put "
            "objects on it and take them off; then you are asked of each whether it is a blicket, "
            "and only that counts."
        )

    def called(self, naming: Naming) -> list[str]:
        return list(naming.words[:-1])

    def columns(self, naming: Naming) -> list[str]:
        return [*self.called(naming), "light"]

    def turn(self, episode: Live, naming: Naming) -> Turn:
        spec, words, on = episode.world.spec, self.called(naming), _on(episode)
        now, among = place(spec.phases, episode.step)
        if episode.phase == EXPLOIT:
            asked = int(episode.observation.goal)
            answers = (Option(asked, 1.0, "Yes"), Option(asked, 0.0, "No"))
            title = f"Question {now} of {among}"
            return Turn(title, f"Is {words[asked]} a blicket?", (Line(words[asked], answers),))
        lines = [
            Line(word, (Option(i, 1.0 - on[i], f"Take {word} off" if on[i] else f"Put {word} on"),))
            for i, word in enumerate(words)
        ]
        lines.append(Line("look", (Option(-1, 0.0, "Look at the light again"),)))
        there = ", ".join(word for word, is_on in zip(words, on, strict=True) if is_on)
        task = (
            f"On the machine: {there or 'nothing'}. Move one object, and see whether it lights up."
        )
        return Turn(f"Experiment {now} of {among}", task, tuple(lines))

    def seen(self, episode: Live, naming: Naming, step: int) -> dict[str, Any]:
        *on, light = (float(x) for x in episode.seen[step + 1].outcome)
        cells = ["–" if np.isnan(x) else "on" if x else "off" for x in on]
        return {"cells": [*cells, "–" if np.isnan(light) else "lit" if light else "dark"]}

    def made(self, naming: Naming, turn: Turn, option: Option) -> str:
        # An answer alone says nothing of what it is about.
        if turn.title.startswith("Question"):
            return f"{naming.words[option.target]} a blicket? {option.label}"
        return option.label

    def verdict(self, episode: Live, naming: Naming, moves: Sequence[tuple[int, float]]) -> str:
        n = episode.world.settings.n
        right = round(n * episode.returns)
        return f"You answered {right} of {n} questions right; guessing gets {n / 2:g} on average."

    def truth(self, episode: Live, naming: Naming) -> list[str]:
        task, words = episode.task, self.called(naming)
        there = [w for w, is_one in zip(words, np.asarray(task.blickets), strict=True) if is_one]
        rule = _RULES[int(task.conjunctive)]
        return [f"Blickets: {', '.join(there)}.", f"The machine lights up if {rule}."]


def _on(episode: Live) -> list[int]:
    """1 for every object that is on the machine."""
    return [int(x) for x in np.nan_to_num(episode.observation.outcome[:-1])]
