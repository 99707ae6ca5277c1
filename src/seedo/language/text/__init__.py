"""Text understudies: small language models that learnt from nothing but transcripts."""

from seedo.language.text._agent import TextAgent, load_speaker, speaks
from seedo.language.text._hub_files import CHAT_TEMPLATE
from seedo.language.text._learning import TEXT_RECIPE, learn_by_reading
from seedo.language.text._llama import LlamaPlan
from seedo.language.text._tokens import tokenizer, vocabulary
from seedo.language.text._transcripts import Line, transcript

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
