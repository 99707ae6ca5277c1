"""World `dag` in words."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from seedo.inference.exact import bayes_supported
from seedo.language.scenes._analyses import say_posterior
from seedo.language.scenes._arrows import arrows_question
from seedo.language.scenes._dag_words import say_value
from seedo.language.scenes._familiar import familiar
from seedo.language.scenes._names import Names, letters, nonsense, token_names
from seedo.language.scenes._plain_scene import Do, PlainScene
from seedo.language.scenes._prompts import dag_instructions
from seedo.language.scenes._scene import Question, Scene, Tool
from seedo.language.scenes.replies import say_number
from seedo.play import Live

_SAME = 1e-5  # expected values that differ by rounding only


class DagScene(PlainScene):
    """One episode of a world of structural causal models; the return is E[goal | do].

    Raises:
        UserError: names of this kind cannot be given to this world's variables.
    """

    rehearses = "scripted:expert"

    structured = True
    untold = ("rounds", "drift", "levers", "costs")  # one round; what is set is what is said

    def named(self, kind: str, rng: np.random.Generator) -> Names:
        return _named(self.episode, kind, rng)

    def instructions(self) -> str:
        return dag_instructions(self.world, self.conditions)

    def questions(self) -> list[Question]:
        return [arrows_question(self.episode, self.names)] if self.conditions.structure else []

    def posterior(self) -> str:
        """What the exact reader believes of the system, in words."""
        config, steps = self.world.config(), self.world.spec.steps
        return say_posterior(self.names, self.so_far(), self.relevant, self.goal, config, steps)

    def analyses(self) -> tuple[Tool, ...]:
        found = super().analyses()
        if bayes_supported(self.world.config()) is not None:
            return found
        exact = Tool(
            "posterior",
            "Probability of every influence given all results so far; once the goal is "
            "named, also the expected effect of every variable on it.",
            {},
            self.posterior,
            acts=False,
        )
        return (*found, exact)

    def rehearsal(self) -> Callable[[], Do]:
        return Scene.rehearsal(self)

    def reason(self, action: Do) -> str:
        words, decimals = self.names.words, self.conditions.decimals
        if action.target < 0:
            return "What happens when nothing is set shows how the variables vary by themselves."
        name = words[action.target]
        value = say_number(self.names.signs[action.target] * action.value, decimals)
        if not self.exploiting:
            tried = {int(seen.target) for seen in self.episode.seen[1:]}
            if action.target in tried:
                return f"{name} was set before, but one noisy result is not enough."
            return f"{name} has not been set yet, and only setting it shows what it causes."
        index = int(np.argmin([abs(v - action.value) for v in self.world.spec.do_values]))
        of_all = np.asarray(self.episode.task.expected)[:, :, self.goal]
        expected = float(of_all[action.target, index])
        others = np.delete(of_all, self.goal, axis=0)  # the goal itself cannot be set
        best = ": the best there is" if expected >= others.max() - _SAME else ""
        brings = say_number(self.names.signs[self.goal] * expected, decimals)
        said = f"{name}={value} can be expected to give {words[self.goal]}={brings}{best}."
        return " ".join([*self._evidence(), said])

    def _evidence(self) -> list[str]:
        """What the goal was whenever another variable was set, as far as it was seen.

        Settings and results stand as they did where they were seen, to be copied to the letter.
        """
        goal, words, shown = self.goal, self.names.words, []
        for outcome, target in zip(*self.so_far(), strict=True):
            if target >= 0 and target != goal and np.isfinite(outcome[goal]):
                value, seen = (
                    say_value(self.names, of, outcome[of], self.conditions.decimals)
                    for of in (target, goal)
                )
                signs = float(value) * float(seen)
                like = "" if not signs else " (same sign)" if signs > 0 else " (other sign)"
                shown.append(f"{words[target]}={value} gave {words[goal]}={seen}{like}")
        return [f"{', '.join(shown)}."] if shown else []


def name_variables(episode: Live, kind: str, seed: int, stream: str) -> Names:
    """Names of an episode's variables; drawn from the episode, never from who plays."""
    rng = np.random.default_rng([seed, zlib.crc32(stream.encode()), episode.index])
    return _named(episode, kind, rng)


def _named(episode: Live, kind: str, rng: np.random.Generator) -> Names:
    spec = episode.world.spec
    if kind == "letters":
        return letters(spec.variables)
    drawn = {"nonsense": nonsense, "twelve": token_names}.get(kind)
    return drawn(spec.n, rng) if drawn is not None else familiar(episode, kind, rng)
