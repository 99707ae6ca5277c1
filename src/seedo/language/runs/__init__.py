"""Runs of players made of words: who speaks, what is kept, what it costs."""

from seedo.language.runs._agent_run import SESSIONS, AgentRun
from seedo.language.runs._calls import Calls
from seedo.language.runs._conversations import CONVERSATIONS
from seedo.language.runs._costs import (
    Budget,
    Price,
    Spending,
    conversation_tokens,
    count_tokens,
    find_price,
    forecast,
)
from seedo.language.runs._examples import (
    Examples,
    choose_examples,
    draw_candidates,
    example_messages,
    first_examples,
)
from seedo.language.runs._follower import follow, follow_with_tools
from seedo.language.runs._llm import LlmOptions, LlmRun, record_llm
from seedo.language.runs._on_stage import Performance, on_stage
from seedo.language.runs._record import RunOptions, RunPlan, read_conditions, record_speaker
from seedo.language.runs._replay import MOST_ANALYSES, Recorded, replay, same_world
from seedo.language.runs._sizes import is_small, parameters
from seedo.language.runs._speaker import MeteredSpeaker, Redrawing, Speaker, asked, converse
from seedo.language.runs._spread import Talkers, check_endpoint, hold_conversations

__all__ = [
    "CONVERSATIONS",
    "MOST_ANALYSES",
    "SESSIONS",
    "AgentRun",
    "Budget",
    "Calls",
    "Examples",
    "LlmOptions",
    "LlmRun",
    "MeteredSpeaker",
    "Performance",
    "Price",
    "Recorded",
    "Redrawing",
    "RunOptions",
    "RunPlan",
    "Speaker",
    "Spending",
    "Talkers",
    "asked",
    "check_endpoint",
    "choose_examples",
    "conversation_tokens",
    "converse",
    "count_tokens",
    "draw_candidates",
    "example_messages",
    "find_price",
    "first_examples",
    "follow",
    "follow_with_tools",
    "forecast",
    "hold_conversations",
    "is_small",
    "on_stage",
    "parameters",
    "read_conditions",
    "record_llm",
    "record_speaker",
    "replay",
    "same_world",
]
