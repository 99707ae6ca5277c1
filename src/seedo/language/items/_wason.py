"""Wason's selection task in familiar, social, arbitrary and nonsense clothes.

Four cases are known from one side each; which have to be turned to find out whether a rule is
broken? Each side can read one of two things, both said in the prompt, so that the answer depends on
no knowledge. The rule "if p then q" is said in one of four polarities that mean the same (`if p
then q`, `if p then not q'`, `if not p' then q`, `if not p' then not q'` with p', q' the
alternatives): cards that the rule mentions are the right ones only in some of them, which separates
reasoning from matching (Evans and Lynch 1973). Design after Wason (1968) and Dasgupta et al.
(2022); contents are our own. All contents are fictional cases of the kind named.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from seedo.language.items._draw import generator, pick, shuffled
from seedo.language.items._item import Item, SomeOf
from seedo.language.items._words import draw_nonsense

CONTENTS = ("familiar", "social", "arbitrary", "nonsense")
POLARITIES = ("if-then", "if-then-not", "if-not-then", "if-not-then-not")


class Side(NamedTuple):
    """One side of a card: what it can read, and how that is said in a rule."""

    about: str  # "where it goes"
    values: tuple[str, str]  # as printed
    positive: tuple[str, str]  # clause that says so, one a value
    negative: tuple[str, str]  # clause that denies it, one a value


class Story(NamedTuple):
    """Cases of one kind; the rule is "if the first value in front, the first at the back"."""

    case: str
    front: Side
    back: Side


def _verb(about: str, one: str, other: str, says: str, denies: str) -> Side:
    values = (one, other)
    return Side(
        about,
        values,
        (says.format(one), says.format(other)),
        (denies.format(one), denies.format(other)),
    )


FAMILIAR = (
    Story(
        "a journey of our neighbour",
        _verb(
            "the place", "seaside", "mountains", "she goes to the {}", "she does not go to the {}"
        ),
        _verb("the means", "train", "car", "she travels by {}", "she does not travel by {}"),
    ),
    Story(
        "a meal in our canteen",
        _verb("the dish", "fish", "stew", "the dish is {}", "the dish is not {}"),
        _verb(
            "what comes with it", "rice", "bread", "{} comes with it", "{} does not come with it"
        ),
    ),
    Story(
        "a plant on my balcony",
        _verb("the plant", "cactus", "fern", "the plant is a {}", "the plant is not a {}"),
        _verb("the spot", "sun", "shade", "it stands in the {}", "it does not stand in the {}"),
    ),
    Story(
        "a day at our house",
        _verb("the weather", "rain", "sunshine", "there is {}", "there is no {}"),
        _verb("the washing", "indoors", "outdoors", "we dry it {}", "we do not dry it {}"),
    ),
    Story(
        "a parcel in our post room",
        _verb("its size", "large", "small", "the parcel is {}", "the parcel is not {}"),
        _verb("its shelf", "bottom", "top", "it is on the {} shelf", "it is not on the {} shelf"),
    ),
    Story(
        "a lesson of our school",
        _verb("the subject", "chemistry", "history", "the subject is {}", "the subject is not {}"),
        _verb("the room", "laboratory", "hall", "it is held in the {}", "it is not held in the {}"),
    ),
)
SOCIAL = (
    Story(
        "a worker of our warehouse",
        _verb(
            "the work", "forklift", "broom", "somebody uses the {}", "somebody does not use the {}"
        ),
        _verb(
            "the training",
            "course passed",
            "no course",
            'they must have "{}" in their papers',
            'they must not have "{}" in their papers',
        ),
    ),
    Story(
        "a visitor of our swimming pool",
        _verb(
            "the pool",
            "deep pool",
            "shallow pool",
            "a visitor uses the {}",
            "a visitor does not use the {}",
        ),
        _verb(
            "the badge",
            "swimmer",
            "beginner",
            'they must wear the badge "{}"',
            'they must not wear the badge "{}"',
        ),
    ),
    Story(
        "a member of our library",
        _verb(
            "what is borrowed",
            "rare book",
            "paperback",
            "a member borrows a {}",
            "a member does not borrow a {}",
        ),
        _verb(
            "where it is read",
            "reading room",
            "home",
            "they must read it in this place: {}",
            "they must not read it in this place: {}",
        ),
    ),
    Story(
        "a passenger on our ferry",
        _verb(
            "the luggage",
            "bicycle",
            "handbag",
            "a passenger brings a {}",
            "a passenger does not bring a {}",
        ),
        _verb(
            "the ticket",
            "blue ticket",
            "white ticket",
            "they must show a {}",
            "they must not show a {}",
        ),
    ),
    Story(
        "a guest of our laboratory",
        _verb(
            "where they are",
            "acid room",
            "office",
            "a guest enters the {}",
            "a guest does not enter the {}",
        ),
        _verb(
            "what they have on",
            "goggles",
            "sunglasses",
            "they must wear {}",
            "they must not wear {}",
        ),
    ),
    Story(
        "a child at our party",
        _verb(
            "what they eat", "cake", "apple", "a child takes the {}", "a child does not take the {}"
        ),
        _verb("what they did", "washed up", "played", "they must have {}", "they must not have {}"),
    ),
)


def _arbitrary(rng: np.random.Generator) -> Story:
    letters = [pick(rng, "ABCDE"), pick(rng, "KLMNP")]
    digits = [str(pick(rng, range(1, 5))), str(pick(rng, range(5, 10)))]
    one, other = shuffled(rng, letters)
    first, second = shuffled(rng, digits)
    return Story(
        "a card with a letter and a number",
        _verb("the letter", one, other, "the letter is {}", "the letter is not {}"),
        _verb("the number", first, second, "the number is {}", "the number is not {}"),
    )


def _nonsense(rng: np.random.Generator) -> Story:
    words = draw_nonsense(rng, 7)
    case, front, back, one, other, first, second = words
    return Story(
        f"a {case}",
        _verb(f"its {front}", one, other, f"its {front} is {{}}", f"its {front} is not {{}}"),
        _verb(f"its {back}", first, second, f"its {back} is {{}}", f"its {back} is not {{}}"),
    )


def _told(content: str, rng: np.random.Generator) -> Story:
    if content == "familiar":
        return pick(rng, FAMILIAR)
    if content == "social":
        return pick(rng, SOCIAL)
    return _arbitrary(rng) if content == "arbitrary" else _nonsense(rng)


def must_be_turned(card: tuple[int, int]) -> bool:
    """Whether a hidden face exists with which the card breaks "if value 0 in front, 0 at the back".

    Args:
        card: (side shown: 0 front or 1 back, value shown: 0 or 1).
    """
    side, shown = card
    faces = [(shown, hidden) if side == 0 else (hidden, shown) for hidden in (0, 1)]
    return any(front == 0 and back != 0 for front, back in faces)


def wason(seed: int) -> Iterator[Item]:
    """Blocks of four: one a content, the same polarity and the same order of cards."""
    polarities = shuffled(generator("wason", seed), POLARITIES)
    for number in itertools.count():
        rng = generator("wason", seed, number)
        cards = shuffled(rng, [(side, value) for side in (0, 1) for value in (0, 1)])
        polarity = polarities[number % len(polarities)]
        for place, content in enumerate(CONTENTS):
            yield _item(seed, number, place, content, polarity, _told(content, rng), cards)


def _item(
    seed: int,
    block: int,
    place: int,
    content: str,
    polarity: str,
    story: Story,
    cards: list[tuple[int, int]],
) -> Item:
    front, back = story.front, story.back
    if_not, then_not = "if-not" in polarity, polarity.endswith("then-not")
    condition = front.negative[1] if if_not else front.positive[0]
    consequent = back.negative[1] if then_not else back.positive[0]
    sides = (front, back)
    prompt = "\n".join(
        [
            f"Four cards: each stands for {story.case}.",
            f"On one side: {front.about} ({front.values[0]} or {front.values[1]}).",
            f"On the other side: {back.about} ({back.values[0]} or {back.values[1]}).",
            f"Rule: If {condition}, then {consequent}.",
            "You see one side of each card:",
            *(f"{i}: {sides[side].values[value]}" for i, (side, value) in enumerate(cards, 1)),
            "Which cards, and no others, must be turned to find out whether the rule is broken?",
        ]
    )
    gold = ", ".join(str(i) for i, card in enumerate(cards, 1) if must_be_turned(card))
    return Item(
        id=f"wason-{seed}-{block}-{place}",
        kind="wason",
        block=f"wason-{seed}-{block}",
        conditions={"content": content, "polarity": polarity},
        prompt=prompt,
        form=SomeOf(("1", "2", "3", "4")),
        gold=gold,
        metadata={"case": story.case},
    )
