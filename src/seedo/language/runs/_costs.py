"""What conversations with a paid model cost: forecast before a run, counted during it."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedo.errors import UserError
from seedo.language.scenes import Conditions, Malformed, Message, open_scene

THOUGHT = 200
"""Tokens that a reply is taken to have, before any was seen, where thinking aloud is allowed."""

_MALFORMED = "I am not sure what to do now, so I explain what I have seen so far."
_PIECE = re.compile(r"[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]")
_PER_MESSAGE = 4  # tokens of the role and of the marks around a message


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    tokens_in: float
    tokens_out: float

    def __post_init__(self) -> None:
        for field in ("tokens_in", "tokens_out"):
            value = getattr(self, field)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value < 0:
                raise UserError(f"price {field}", value, "use dollars for a million tokens, from 0")

    def of(self, spending: Spending) -> float:
        """US dollars."""
        return (spending.tokens_in * self.tokens_in + spending.tokens_out * self.tokens_out) / 1e6


@dataclass(frozen=True)
class Spending:
    """Tokens sent to a model and got from it; what it thinks in silence counts as got."""

    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)

    def times(self, factor: float) -> Spending:
        """Rounded up."""
        return Spending(math.ceil(self.tokens_in * factor), math.ceil(self.tokens_out * factor))

    def say(self, price: Price | None) -> str:
        """Like `12,345 tokens in, 678 out, $0.12`."""
        money = "price unknown" if price is None else f"${price.of(self):,.4f}"
        return f"{self.tokens_in:,} tokens in, {self.tokens_out:,} out, {money}"


@dataclass(frozen=True)
class Budget:
    """The most that a run may use, earlier parts of it included; None: no limit."""

    usd: float | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        for field in ("usd", "tokens"):
            value = getattr(self, field)
            if value is None:
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or value <= 0:
                raise UserError(f"budget {field}", value, "use a number above 0")

    def used_up(self, spent: Spending, price: Price | None) -> bool:
        """Whether no further call may be made."""
        return self.left(spent, price) <= 0

    def left(self, spent: Spending, price: Price | None) -> float:
        """The share of the budget that is left, the smaller of both; infinite without a limit."""
        shares = [math.inf]
        if self.usd is not None and price is not None:
            shares.append(1 - price.of(spent) / self.usd)
        if self.tokens is not None:
            shares.append(1 - spent.tokens / self.tokens)
        return min(shares)

    def episodes(self, spent: Spending, each: Spending, price: Price | None) -> int | None:
        """How many more episodes it pays for, if each costs so much; None: any number."""
        found = []
        if self.usd is not None and price is not None and price.of(each) > 0:
            found.append((self.usd - price.of(spent)) / price.of(each))
        if self.tokens is not None and each.tokens:
            found.append((self.tokens - spent.tokens) / each.tokens)
        return max(0, int(min(found))) if found else None


def find_price(
    model: str,
    price_in: float | None = None,
    price_out: float | None = None,
    table: str | os.PathLike[str] | None = None,
) -> Price | None:
    """The price of a model: as given, or from a table; None: unknown.

    Args:
        model: as Inspect names it.
        price_in, price_out: US dollars for a million tokens; both or neither.
        table: JSON file, {model: {"in": dollars, "out": dollars}}.

    Raises:
        UserError: one price without the other, or a table that cannot be read.
    """
    if (price_in is None) != (price_out is None):
        raise UserError("price", None, "give both --price-in and --price-out")
    if price_in is not None and price_out is not None:
        return Price(price_in, price_out)
    if table is None:
        return None
    remedy = 'write it as {"model": {"in": dollars, "out": dollars}}, for a million tokens'
    try:
        prices: Any = json.loads(Path(table).read_text())
    except OSError as error:
        raise UserError("prices", str(table), f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError("prices", str(table), remedy) from error
    if not isinstance(prices, dict):
        raise UserError("prices", str(table), remedy)
    found = prices.get(model)
    if found is None:
        return None
    if not isinstance(found, dict) or set(found) != {"in", "out"}:
        raise UserError(f"prices of {model}", found, remedy)
    return Price(found["in"], found["out"])


def count_tokens(text: str) -> int:
    """About how many tokens a text has, without knowing the tokenizer.

    Up to six letters, up to three digits, or one other sign count as one: on our texts, which are
    mostly numbers and short words, tokenizers differ more from each other than from this.
    """
    return len(_PIECE.findall(text))


def conversation_tokens(messages: Sequence[Message], heard: int = 1, reply: int = 0) -> Spending:
    """About what a finished conversation cost: every reply was asked for with all before it.

    Args:
        messages: the whole conversation.
        heard: how many of them, at the start, were said without asking for a reply.
        reply: tokens that a reply has at least.
    """
    before = tokens_in = tokens_out = 0
    for number, message in enumerate(messages):
        tokens = count_tokens(message["content"])
        if message["role"] == "assistant" and number >= heard:
            tokens = max(tokens, reply)
            tokens_in += before
            tokens_out += tokens
        before += tokens + _PER_MESSAGE
    return Spending(tokens_in, tokens_out)


def forecast(
    world: Any,
    seed: int,
    conditions: Conditions,
    opening: Sequence[Message] = (),
    episodes: int = 2,
    malformed: int = 0,
) -> Spending:
    """About what one episode will cost: the mean over dry conversations, see `Scene.rehearsal`.

    These episodes are of stream `validation`, in the same words and conditions, with so many
    malformed replies before every action. Longer thoughts and other tokenizers cost more.
    """
    total = Spending()
    for index in range(episodes):
        scene = open_scene(world, seed, "validation", index, conditions, opening)
        choose = scene.rehearsal()
        while not scene.finished:
            if scene.expects == "action":
                for _ in range(malformed):
                    scene.take_call(_MALFORMED, Malformed("not-an-action", "Act."))
                action = choose()
                scene.take_call(scene.write(action), action)
            elif scene.expects == "thought":
                scene.reply("My theory fits the data.")
            else:
                scene.reply(scene.own_answer("scripted:expert"))
        thought = THOUGHT if conditions.reasoning or conditions.check else 0
        total += conversation_tokens(scene.messages(), 1 + len(opening), thought)
    return total.times(1 / episodes)
