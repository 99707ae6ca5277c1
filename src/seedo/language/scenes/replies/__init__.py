"""Replies of players in words: untrusted text, read for the one action that it unmistakably is."""

from seedo.language.scenes.replies._fields import argument
from seedo.language.scenes.replies._grammar import (
    BEGIN,
    END,
    OBSERVING,
    Grammar,
    Phrase,
    choice,
    compiled,
    setting_phrases,
)
from seedo.language.scenes.replies._malformed import (
    LONGEST,
    LONGEST_ANSWER,
    LONGEST_LINE,
    REASONS,
    UNDONE,
    Malformed,
    action_line,
    read_number,
    say_number,
)
from seedo.language.scenes.replies._reader import (
    KINDS,
    REPAIRS,
    Kind,
    Reading,
    judged,
    read_answer,
    read_reply,
    read_strictly,
)

__all__ = [
    "BEGIN",
    "END",
    "KINDS",
    "LONGEST",
    "LONGEST_ANSWER",
    "LONGEST_LINE",
    "OBSERVING",
    "REASONS",
    "REPAIRS",
    "UNDONE",
    "Grammar",
    "Kind",
    "Malformed",
    "Phrase",
    "Reading",
    "action_line",
    "argument",
    "choice",
    "compiled",
    "judged",
    "read_answer",
    "read_number",
    "read_reply",
    "read_strictly",
    "say_number",
    "setting_phrases",
]
