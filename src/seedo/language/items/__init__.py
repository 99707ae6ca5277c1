"""Questions with one right answer: content effects and analogies, each answer derived twice."""

from seedo.language.items._alphabets import ALPHABETS
from seedo.language.items._effects import (
    Answered,
    ContentEffect,
    accuracy,
    alphabet_effects,
    among_answered,
    answered,
    by_cell,
    content_effect,
    paired_content_effects,
    share_answered,
    share_as_shown,
)
from seedo.language.items._entailment import SCHEMES, entails
from seedo.language.items._generate import (
    ANALOGY_KINDS,
    CONTENT_KINDS,
    KINDS,
    Disagreement,
    disagreements,
    items,
)
from seedo.language.items._item import AnswerForm, Item, OneOf, Rows, SomeOf
from seedo.language.items._letter_rules import answers as letter_answers
from seedo.language.items._performance import ItemPerformance
from seedo.language.items._syllogisms import FORMS, valid
from seedo.language.items._words import INDIVIDUALS, KINDS_OF_THINGS, OPPOSITES, OVERLAPPING

__all__ = [
    "ALPHABETS",
    "ANALOGY_KINDS",
    "CONTENT_KINDS",
    "FORMS",
    "INDIVIDUALS",
    "KINDS",
    "KINDS_OF_THINGS",
    "OPPOSITES",
    "OVERLAPPING",
    "SCHEMES",
    "AnswerForm",
    "Answered",
    "ContentEffect",
    "Disagreement",
    "Item",
    "ItemPerformance",
    "OneOf",
    "Rows",
    "SomeOf",
    "accuracy",
    "alphabet_effects",
    "among_answered",
    "answered",
    "by_cell",
    "content_effect",
    "disagreements",
    "entails",
    "items",
    "letter_answers",
    "paired_content_effects",
    "share_answered",
    "share_as_shown",
    "valid",
]
