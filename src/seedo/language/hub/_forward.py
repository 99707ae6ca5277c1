"""What has been read is remembered: it is read once, not once for each conversation or turn."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple


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


class Read(NamedTuple):
    """What a model remembers of a batch of conversations.

    Attributes:
        rows: their tokens.
        seen: int64[B, T] on the CPU, 1 where a column of the memory is a token of the row.
        memory: the model's, B rows; None: nothing has been read.
    """

    rows: Sequence[Sequence[int]]
    seen: Any
    memory: Any

    @staticmethod
    def once(torch: Any, prefix: Sequence[int], memory: Any, count: int) -> Read:
        """So many rows that begin with the same prefix, whose memory stays as it is."""
        seen = torch.ones((count, len(prefix)), dtype=torch.int64)
        return Read([prefix] * count, seen, handed_to(memory, count) if len(prefix) else None)

    def find(self, row: Sequence[int]) -> int | None:
        """Which of the rows a longer one goes on from."""
        for place, known in enumerate(self.rows):
            if len(known) < len(row) and list(row[: len(known)]) == list(known):
                return place
        return None

    def of(self, places: list[int]) -> Read:
        """Some of the rows; takes the memory along, so that this one has none afterwards."""
        if places != list(range(len(self.rows))):
            self.memory.batch_select_indices(places)
        return Read([self.rows[i] for i in places], self.seen[places], self.memory)
