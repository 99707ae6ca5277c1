"""Players made of words, and their runs in a study: played once, within one budget."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from seedo.episodes import DamagedShard, Dataset
from seedo.errors import UserError
from seedo.experimenters import is_spoken, parse_name
from seedo.language import (
    Budget,
    Calls,
    Conditions,
    Message,
    MeteredSpeaker,
    load_speaker,
    record_llm,
    record_speaker,
)
from seedo.language.runs import (
    CONVERSATIONS,
    Examples,
    Price,
    Spending,
    example_messages,
    find_price,
    forecast,
)
from seedo.statistics import Estimate, mean, missing, ratio
from seedo.studies._study import Say, Work


@dataclass(frozen=True)
class Run:
    """What is to be played.

    Attributes:
        folder: of the run.
        world: made by `same_world`, so that it is compiled once.
        episodes: the first so many of the stream.
    """

    folder: Path
    world: Any
    episodes: int
    conditions: Conditions
    examples: Examples | None = None
    stream: str = "perform"


class TextPlayer(Protocol):
    """Who is studied.

    Attributes:
        name: on the command line.
        conditions: how it is spoken to where the study does not say otherwise.
        calls_tools: whether it can be offered tools.
        longest: tokens of a reply at most, as typed; None: what is usual.
    """

    @property
    def name(self) -> str: ...
    @property
    def conditions(self) -> Conditions: ...
    @property
    def calls_tools(self) -> bool: ...
    @property
    def longest(self) -> int | None: ...

    def foresee(self, runs: Sequence[Run], seed: int, say: Say) -> None:
        """Say what all of these runs together will take."""

    def play(self, run: Run, seed: int, say: Say) -> Dataset:
        """The finished run: found there, gone on with, or played.

        Raises:
            UserError: it stopped before its end; what is finished is kept.
        """
        ...

    def ask(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """Its next message in each conversation.

        Raises:
            UserError: it only plays whole episodes.
        """
        ...


def player_of(work: Work[Any], varied: Sequence[str]) -> TextPlayer:
    """Who is studied in some work.

    Raises:
        UserError: a switch that the study varies is set for it.
    """
    assert work.player is not None
    usual = Conditions()
    for switch in varied:
        value = getattr(work.player.conditions, switch)
        if value != getattr(usual, switch):
            raise UserError(switch, value, "the study varies it: leave it out")
    return work.player


@dataclass(frozen=True)
class InProcess:
    """A model in this process, such as a text understudy.

    Attributes:
        called: its name on the command line; "": the speaker's own.
        longest: as it was made with.
    """

    speaker: MeteredSpeaker
    conditions: Conditions = field(default_factory=Conditions)
    calls_tools: bool = False
    called: str = ""
    longest: int | None = None

    @property
    def name(self) -> str:
        return self.called or self.speaker.name

    def foresee(self, runs: Sequence[Run], seed: int, say: Say) -> None:
        say(f"{self.name}: {_episodes(runs):,} episodes in {len(runs)} runs")

    def play(self, run: Run, seed: int, say: Say) -> Dataset:
        dataset = record_speaker(
            run.world, self.speaker, run.episodes, seed, run.folder, stream=run.stream,
            conditions=run.conditions, examples=run.examples, resume=True,
            meter=self.speaker, name=self.name, typed=typed_length(self.longest),
        )  # fmt: skip
        say(f"{run.folder.name}: {run.episodes:,} episodes")
        return dataset

    def ask(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        return self.speaker.replies(conversations)


def typed_length(longest: int | None) -> list[str]:
    """What is typed for the length of replies; a run of another is not gone on with."""
    return [] if longest is None else ["--max-tokens", str(longest)]


@dataclass
class ThroughInspect:
    """A language model, by its Inspect name.

    Attributes:
        budget: the most that all runs may use together, those of earlier calls of the study
            included.
        price_in, price_out, prices: see `language.runs.find_price`.
        spent: tokens of all runs that were asked for so far.
    """

    model: str
    conditions: Conditions = field(default_factory=Conditions)
    calls: Calls = field(default_factory=Calls)
    budget: Budget = field(default_factory=Budget)
    price_in: float | None = None
    price_out: float | None = None
    prices: Path | None = None
    spent: Spending = field(default_factory=Spending)

    calls_tools = True

    @property
    def name(self) -> str:
        return f"llm:{self.model}"

    @property
    def longest(self) -> int | None:
        return self.calls.max_tokens

    @property
    def price(self) -> Price | None:
        return find_price(self.model, self.price_in, self.price_out, self.prices)

    def foresee(self, runs: Sequence[Run], seed: int, say: Say) -> None:
        total = Spending()
        for run in runs:
            shown = run.examples
            opening = example_messages(run.world, run.conditions, shown) if shown else ()
            total += forecast(run.world, seed, run.conditions, opening).times(run.episodes)
        say(
            f"{self.name}: {_episodes(runs):,} episodes in {len(runs)} runs, about "
            f"{total.say(self.price)}; tokens are estimated without tokenizer"
        )

    def play(self, run: Run, seed: int, say: Say) -> Dataset:
        price, left = self.price, self.budget
        if self.spent.tokens and not _finished(run.folder):
            if self.budget.used_up(self.spent, price):
                raise _stopped(run, 0, "the budget is used up")
            left = self._left(price)
        try:
            played = record_llm(
                run.world, self.model, run.episodes, seed, run.folder, stream=run.stream,
                conditions=run.conditions, examples=run.examples, calls=self.calls, budget=left,
                price_in=self.price_in, price_out=self.price_out, prices=self.prices, resume=True,
            )  # fmt: skip
        except UserError as error:
            if error.field == "budget" and self.spent.tokens:  # what is left pays for no episode
                raise _stopped(run, 0, "the budget is used up") from error
            raise
        self.spent += played.spent
        say(f"{run.folder.name}: {played.sentence()}")
        if played.dataset is None or played.stopped:
            # Without what it says of options that a study does not have.
            raise _stopped(
                run, played.finished, re.split("[:;] the same command", played.stopped)[0]
            )
        return played.dataset

    def ask(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        remedy = "plays whole episodes, and is not told of others': use hf:FOLDER, in this process"
        raise UserError("--player", self.name, remedy)

    def _left(self, price: Price | None) -> Budget:
        usd, tokens = self.budget.usd, self.budget.tokens
        return Budget(
            None if usd is None or price is None else usd - price.of(self.spent),
            None if tokens is None else tokens - self.spent.tokens,
        )


def _episodes(runs: Sequence[Run]) -> int:
    return sum(run.episodes for run in runs)


def _finished(folder: Path) -> bool:
    try:
        return Dataset(folder).complete
    except (UserError, DamagedShard):
        return False


def _stopped(run: Run, finished: int, why: str) -> UserError:
    done = f"{finished:,} of {run.episodes:,} episodes finished"
    larger = " with a larger one" if "budget" in why else ""
    return UserError(str(run.folder), done, f"{why}: the same command{larger} goes on")


def find_text_player(
    name: str,
    conditions: Conditions | None = None,
    calls: Calls | None = None,
    budget: Budget | None = None,
    price_in: float | None = None,
    price_out: float | None = None,
    prices: Path | None = None,
) -> TextPlayer:
    """Who is studied, by name: `llm:MODEL`, `hf:FOLDER`, the folder of a text agent, or
    `pretrained:dag-text`.

    All but the first two arguments are for `llm:MODEL`, see `ThroughInspect`; of `calls`,
    `max_tokens` is for `hf:FOLDER` too.

    Raises:
        UserError: no such player, one that sees numbers instead of words, or a bad price.
    """
    conditions = conditions or Conditions()
    kind, model = parse_name(name)
    if is_spoken(name):
        find_price(model, price_in, price_out, prices)  # refused now, not after a forecast
        return ThroughInspect(
            model, conditions, calls or Calls(), budget or Budget(), price_in, price_out, prices
        )
    if kind in ("scripted", "bayes"):
        remedy = f"reads no words: use llm:seedo/{name}, which plays it through Inspect"
        raise UserError("player", name, remedy)
    longest = None if calls is None else calls.max_tokens
    speaker = load_speaker(name, max_tokens=longest)
    return InProcess(speaker, conditions, called=name, longest=longest)


# -- what was said --------------------------------------------------------------------------------


class Said(NamedTuple):
    """What one episode took besides its actions."""

    malformed: int
    replies: int
    tokens: int | None  # in and out; None: unknown


def said(run: Dataset) -> list[Said]:
    """Of every episode, in order."""
    found = []
    for text in (run.path / CONVERSATIONS).read_text().splitlines():
        line = json.loads(text)
        counts = (line["tokens_in"], line["tokens_out"])
        tokens = None if None in counts else sum(counts)
        found.append(Said(len(line["malformed"]), line["replies"], tokens))
    return found


def malformed(episodes: Sequence[Said]) -> Estimate:
    """Share of replies; episodes are resampled whole."""
    return ratio([s.malformed for s in episodes], [s.replies for s in episodes])


def tokens(episodes: Sequence[Said]) -> Estimate:
    """Mean of an episode."""
    known = [s.tokens for s in episodes if s.tokens is not None]
    return mean(known) if len(known) == len(episodes) else missing("tokens were not counted")


def words_of(episodes: Sequence[Said]) -> str:
    """Malformed replies and tokens, in a sentence."""
    wrong, replies = sum(s.malformed for s in episodes), sum(s.replies for s in episodes)
    each = tokens(episodes).value
    used = "tokens not counted" if each is None else f"{each * len(episodes):,.0f} tokens"
    return f"{wrong:,} of {replies:,} replies malformed, {used}."


def shown(estimate: Estimate, digits: int = 2) -> str:
    """`1.23 [1.02, 1.44]`, or why there is none."""

    def plain(x: float) -> str:
        return f"{round(x, digits) + 0.0:,.{digits}f}"  # no negative zero

    if estimate.value is None:
        return f"none ({estimate.reason})"
    if estimate.low is None or estimate.high is None:
        return f"{plain(estimate.value)} ({estimate.reason})"
    return f"{plain(estimate.value)} [{plain(estimate.low)}, {plain(estimate.high)}]"
