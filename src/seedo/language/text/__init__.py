"""Text understudies: small language models that learnt from nothing but transcripts."""

from seedo.language.text._agent import TextAgent, load_speaker, prompt, speaks
from seedo.language.text._hub_files import CHAT_TEMPLATE
from seedo.language.text._learning import TEXT_NETWORK, TEXT_RECIPE, learn_by_reading
from seedo.language.text._lesson import Tell, mean_tokens, spelt, tell_episode, text_lesson
from seedo.language.text._llama import LlamaPlan, complete, fresh, logits
from seedo.language.text._steps import TextSteps, open_steps
from seedo.language.text._tokens import END_ID, PAD_ID, SPECIAL, tokenizer, vocabulary
from seedo.language.text._transcripts import DECIMALS, Line, transcript

__all__ = [
    "CHAT_TEMPLATE",
    "DECIMALS",
    "END_ID",
    "PAD_ID",
    "SPECIAL",
    "TEXT_NETWORK",
    "TEXT_RECIPE",
    "Line",
    "LlamaPlan",
    "Tell",
    "TextAgent",
    "TextSteps",
    "complete",
    "fresh",
    "learn_by_reading",
    "load_speaker",
    "logits",
    "mean_tokens",
    "open_steps",
    "prompt",
    "speaks",
    "spelt",
    "tell_episode",
    "text_lesson",
    "tokenizer",
    "transcript",
    "vocabulary",
]
