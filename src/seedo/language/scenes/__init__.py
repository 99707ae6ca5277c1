"""Worlds in words: one scene an episode, its rules, its tools and how strictly replies are read."""

from seedo.language.scenes._arrows import arrows_question, read_arrows, write_arrows
from seedo.language.scenes._blicket_scene import BlicketScene
from seedo.language.scenes._calculator import calculate
from seedo.language.scenes._conditions import NAME_KINDS, Conditions
from seedo.language.scenes._dag_scene import DagScene, name_variables
from seedo.language.scenes._dag_words import say_action, say_goal, say_results, say_variables
from seedo.language.scenes._familiar import familiar
from seedo.language.scenes._names import NONSENSE, Names, letters, nonsense, token_names
from seedo.language.scenes._open import SCENES, open_scene, scene_of
from seedo.language.scenes._plain_scene import Do, PlainScene
from seedo.language.scenes._prompts import blicket_instructions, without_directions
from seedo.language.scenes._pseudo_words import PSEUDO_WORDS
from seedo.language.scenes._rooms_scene import RoomsScene
from seedo.language.scenes._scene import CANNOT, Heard, Left, Message, Question, Scene, Tool
from seedo.language.scenes._themes import THEMES
from seedo.language.scenes._tool_calls import (
    arguments_schema,
    call_for,
    call_tool,
    say_call,
    tools_of,
)
from seedo.language.scenes.replies import (
    KINDS,
    LONGEST,
    LONGEST_ANSWER,
    LONGEST_LINE,
    REASONS,
    REPAIRS,
    Grammar,
    Malformed,
    Phrase,
    Reading,
    action_line,
    judged,
    read_answer,
    read_number,
    read_reply,
    read_strictly,
    say_number,
)

__all__ = [
    "CANNOT",
    "KINDS",
    "LONGEST",
    "LONGEST_ANSWER",
    "LONGEST_LINE",
    "NAME_KINDS",
    "NONSENSE",
    "PSEUDO_WORDS",
    "REASONS",
    "REPAIRS",
    "SCENES",
    "THEMES",
    "BlicketScene",
    "Conditions",
    "DagScene",
    "Do",
    "Grammar",
    "Heard",
    "Left",
    "Malformed",
    "Message",
    "Names",
    "Phrase",
    "PlainScene",
    "Question",
    "Reading",
    "RoomsScene",
    "Scene",
    "Tool",
    "action_line",
    "arguments_schema",
    "arrows_question",
    "blicket_instructions",
    "calculate",
    "call_for",
    "call_tool",
    "familiar",
    "judged",
    "letters",
    "name_variables",
    "nonsense",
    "open_scene",
    "read_answer",
    "read_arrows",
    "read_number",
    "read_reply",
    "read_strictly",
    "say_action",
    "say_call",
    "say_goal",
    "say_number",
    "say_results",
    "say_variables",
    "scene_of",
    "token_names",
    "tools_of",
    "without_directions",
    "write_arrows",
]
