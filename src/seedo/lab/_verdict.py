"""How a person's choices compare: with the best, with others on the same system and noise, and with
what others would have done in the person's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedo.lab._belief import beliefs
from seedo.lab._naming import Naming
from seedo.lab._scenario import Scenario
from seedo.lab._shown import number
from seedo.lab._worlds import shown_as
from seedo.play import Live
from seedo.worlds import EXPLOIT, OBSERVE, DagConfig

Move = tuple[int, float]
"""(target, value) in the system's own units; target -1: only looked."""


def own_path(name: str, scenario: Scenario, believe: bool) -> dict[str, Any]:
    """A player's own game of the scenario.

    Args:
        name: of the player.
        scenario: of world `dag`; the player can act in it.
        believe: work out too what its experiments taught.

    Returns:
        `moves` [S] of (target, value); `returns`; `bits` [S + 1], entropy of the graph before and
        after every step, or None.
    """
    shown = shown_as(scenario.world)
    episode = shown.begin(scenario)
    naming, moves = Naming.of(scenario, episode), []
    actor = shown.actor(name, scenario, episode)
    while not episode.finished:
        moves.append(_allowed(episode, actor.action()))
        shown.carry_out(episode, naming, moves[-1])
    bits = lesson(scenario, moves)["bits"] if believe else None
    return {"moves": moves, "returns": episode.returns, "bits": bits}


def instead(name: str, scenario: Scenario, moves: Sequence[Move]) -> list[Move]:
    """What a player would have done at every step, had everything before gone as it did."""
    return [chosen for chosen, _ in _instead(name, scenario, moves)]


def instead_in_words(name: str, scenario: Scenario, moves: Sequence[Move]) -> list[str]:
    """The same as a person would have seen it offered."""
    return [said for _, said in _instead(name, scenario, moves)]


def _instead(name: str, scenario: Scenario, moves: Sequence[Move]) -> Iterator[tuple[Move, str]]:
    shown = shown_as(scenario.world)
    episode = shown.begin(scenario)
    naming, actor = Naming.of(scenario, episode), shown.actor(name, scenario, episode)
    for move in moves:
        chosen = _allowed(episode, actor.action())
        yield chosen, shown.words(episode, naming, chosen)
        shown.carry_out(episode, naming, move)


def _allowed(episode: Live, move: Sequence[Any]) -> Move:
    """People only look in the observe phase; so does everyone whom they play against."""
    target, value, *_ = (-1, 0.0) if episode.phase == OBSERVE else move
    return int(target), float(value)


def lesson(scenario: Scenario, moves: Sequence[Move]) -> dict[str, Any]:
    """What the outcomes of an episode in which this was done say about the graph.

    Returns:
        `bits` [S + 1], entropy before and after every step; `edges` [n][n], P(i -> j) at the end.
    """
    assert isinstance(scenario.config, DagConfig)
    episode = scenario.begin()
    seen = [episode.act(*move) for move in moves]
    after = beliefs(scenario.config, [int(s.target) for s in seen], [s.outcome for s in seen])
    edges = np.round(after[-1].edges, 4).tolist()
    return {"bits": [round(b.bits, 4) for b in after], "edges": edges}


@dataclass(frozen=True)
class Try:
    """One exploit step.

    Attributes:
        step: its number.
        goal: what was to be raised.
        chosen, best: (target, value).
        worth, most: expected goal value of the two.
    """

    step: int
    goal: int
    chosen: Move
    worth: float
    best: Move
    most: float

    @property
    def perfect(self) -> bool:
        """Nothing would have been better by anything that matters."""
        return self.worth >= self.most - 1e-3 * max(1.0, abs(self.most))


def tries(episode: Live, moves: Sequence[Move]) -> list[Try]:
    """The exploit steps of a finished episode."""
    spec, stage = episode.world.spec, episode.task
    expected, values = np.asarray(stage.expected), spec.do_values
    goals = np.asarray(stage.goal)
    done = []
    for step, phase in enumerate(spec.phases):
        if phase != EXPLOIT:
            continue
        goal = int(goals[step])
        # As `worlds.legal_returns`, in NumPy: who waits for a verdict waits for no compiler.
        legal = np.asarray(stage.relevant) & (np.arange(len(expected)) != goal)
        worth = np.where(legal[:, None], expected[:, :, goal], -np.inf)
        target, value = divmod(int(worth.argmax()), len(values))
        best = (target, values[value])
        chosen = moves[step]
        yours = worth_of(expected, values, chosen, goal)
        done.append(Try(step, goal, chosen, yours, best, float(worth.max())))
    return done


def worth_of(
    expected: NDArray[np.float32], values: Sequence[float], move: Move, goal: int
) -> float:
    """Expected goal value of an action; `expected` is [n, V, n]."""
    target, value = move
    nearest = int(np.argmin([abs(v - value) for v in values]))
    return float(expected[target, nearest, goal]) if target >= 0 else 0.0


def verdict(
    episode: Live,
    moves: Sequence[Move],
    say: Callable[[Move], str],
    word: Callable[[int], str],
    reader: str,
    advice: Sequence[Move] | None,
) -> str:
    """The game in plain words.

    Args:
        episode: finished.
        moves: of the person.
        say: an action in words, e.g. "A at +2".
        word: a variable's name.
        reader: whoever's advice it is, e.g. "the Bayesian".
        advice: what they would have done at every step; None: not known (yet).
    """
    all_tries = tries(episode, moves)
    last = all_tries[-1]
    told = ""
    if len(all_tries) > 1:
        yours, most = (
            float(np.mean([getattr(t, k) for t in all_tries])) for k in ("worth", "most")
        )
        told = (
            f"Over {len(all_tries)} tries you brought the goal to {number(yours)} on average; "
            f"{number(most)} was possible. On the last one, "
        )
    goal = word(last.goal)
    if abs(last.most) < 1e-3:
        text = f"you chose {say(last.chosen)}, but nothing in this system can raise {goal}."
    elif last.perfect:
        text = (
            f"you chose {say(last.chosen)}, and nothing is better: on average it brings {goal} to "
            f"{number(last.worth)}."
        )
    else:
        text = (
            f"you chose {say(last.chosen)}, which on average brings {goal} to "
            f"{number(last.worth)}; the best was {say(last.best)}, which brings it to "
            f"{number(last.most)}."
        )
    text = told + text if told else text[0].upper() + text[1:]
    return text if advice is None else f"{text} {_advice(episode, last, say, reader, advice)}"


def _advice(
    episode: Live,
    last: Try,
    say: Callable[[Move], str],
    reader: str,
    advice: Sequence[Move],
) -> str:
    target, value = advice[last.step]
    theirs = worth_of(
        np.asarray(episode.task.expected), episode.world.spec.do_values, (target, value), last.goal
    )
    name = reader[0].upper() + reader[1:]
    if (target, value) == last.chosen:
        if last.perfect:
            return f"{name} would have chosen the same after your own experiments."
        return (
            f"{name} would have chosen the same after your own experiments: they did not show what "
            "is best."
        )
    if abs(theirs - last.worth) < 1e-3:
        why = "just as good"
    elif last.perfect:
        why = "they did not settle it, so you had luck, or a good hunch"
    elif theirs > last.worth:
        why = "there was more in them than you used"
    else:
        why = "worse, so they were misleading"
    brings = f"{say((target, value))} ({number(theirs)})"
    return f"{name} would have chosen {brings} after your own experiments: {why}."
