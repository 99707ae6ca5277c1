"""What many conversations begin with is read once, not once for each."""

from __future__ import annotations

import copy
import inspect
from typing import Any


def shares(model: Any) -> bool:
    """Whether a model's memory of what it has read can be handed to several continuations.

    Of models whose layers all attend to everything before; others read every row whole.
    """
    config = model.config
    kinds = set(getattr(config, "layer_types", None) or ("full_attention",))
    sliding = getattr(config, "use_sliding_window", None)
    if sliding is None:
        sliding = getattr(config, "sliding_window", None) is not None
    return kinds == {"full_attention"} and not sliding


def forward(model: Any, memory: Any = None, **inputs: Any) -> tuple[Any, Any]:
    """Scores of the next tokens, and the memory after these; `memory`: of what was before."""
    word = _word_for_memory(model)
    if memory is not None:
        inputs[word] = memory
    found = model(**inputs)
    return found.logits, getattr(found, word, None)


def _word_for_memory(model: Any) -> str:
    """What this version of transformers calls it."""
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model  # within PEFT's
    known = inspect.signature(bare.forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def read_once(model: Any, prefix: Any) -> Any:
    """The memory of a prefix, int64[1, P]."""
    return forward(model, input_ids=prefix, use_cache=True, logits_to_keep=1)[1]


def handed_to(memory: Any, rows: int) -> Any:
    """The memory for so many continuations; the given one stays as it is."""
    own = copy.copy(memory)
    own.layers = [copy.copy(layer) for layer in memory.layers]
    own.batch_repeat_interleave(rows)
    return own
