"""Worlds in words: one scene an episode, its rules, its tools and how strictly replies are read."""

from seedo.language.scenes._arrows import arrows_question, read_arrows, write_arrows
from seedo.language.scenes._beliefs import (
    Arrows,
    edge_probabilities,
    likely_arrows,
    posterior_of,
    relevant_rows,
)
from seedo.language.scenes._blicket_scene import BlicketScene, blicket_instructions
from seedo.language.scenes._calculator import calculate
from seedo.language.scenes._conditions import NAME_KINDS, Conditions
from seedo.language.scenes._dag_scene import DagScene, name_variables
from seedo.language.scenes._dag_words import say_action, say_goal, say_results, say_variables
from seedo.language.scenes._familiar import familiar
from seedo.language.scenes._names import NONSENSE, Names, letters, nonsense
from seedo.language.scenes._open import SCENES, open_scene, scene_of
from seedo.language.scenes._plain_scene import Do, PlainScene
from seedo.language.scenes._reply import (
    LONGEST,
    LONGEST_ANSWER,
    REASONS,
    Malformed,
    action_line,
    read_number,
    say_number,
)
from seedo.language.scenes._rooms_scene import RoomsScene
from seedo.language.scenes._scene import CANNOT, Message, Question, Scene, Tool
from seedo.language.scenes._themes import THEMES
from seedo.language.scenes._tool_calls import call_for, call_tool, say_call, tools_of

__all__ = [
    "CANNOT",
    "LONGEST",
    "LONGEST_ANSWER",
    "NAME_KINDS",
    "NONSENSE",
    "REASONS",
    "SCENES",
    "THEMES",
    "Arrows",
    "BlicketScene",
    "Conditions",
    "DagScene",
    "Do",
    "Malformed",
    "Message",
    "Names",
    "PlainScene",
    "Question",
    "RoomsScene",
    "Scene",
    "Tool",
    "action_line",
    "arrows_question",
    "blicket_instructions",
    "calculate",
    "call_for",
    "call_tool",
    "edge_probabilities",
    "familiar",
    "letters",
    "likely_arrows",
    "name_variables",
    "nonsense",
    "open_scene",
    "posterior_of",
    "read_arrows",
    "read_number",
    "relevant_rows",
    "say_action",
    "say_call",
    "say_goal",
    "say_number",
    "say_results",
    "say_variables",
    "scene_of",
    "tools_of",
    "write_arrows",
]
