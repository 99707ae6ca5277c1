"""Text understudies: small language models that learnt from nothing but transcripts."""

from understudy.language.text._agent import TextAgent, load_speaker, speaks
from understudy.language.text._hub_files import CHAT_TEMPLATE
from understudy.language.text._learning import TEXT_RECIPE, learn_by_reading
from understudy.language.text._llama import LlamaPlan
from understudy.language.text._tokens import tokenizer, vocabulary
from understudy.language.text._transcripts import Line, transcript

__all__ = [
    "CHAT_TEMPLATE",
    "TEXT_RECIPE",
    "Line",
    "LlamaPlan",
    "TextAgent",
    "learn_by_reading",
    "load_speaker",
    "speaks",
    "tokenizer",
    "transcript",
    "vocabulary",
]
