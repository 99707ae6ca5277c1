"""A model behind `ray.data.llm` as a speaker of Seedo: a batch of conversations, turn by turn.

    python examples/ray_speaker.py MODEL OUT     # a GPU, pip install "ray[llm]" "seedo[ray]"

`ray.data.llm.build_llm_processor` makes the processor, with vLLM or a server behind it; anything
that maps a Ray dataset with the column `messages` to one with the column `reply` will do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import ray.data


class RayDataSpeaker:
    """Replies of a processor of Ray Data.

    Args:
        name: as logs have it.
        process: maps a dataset with columns `place` and `messages` to one with `place` and `reply`.
    """

    def __init__(self, name: str, process: Callable[[Any], Any]) -> None:
        self.name, self._process = name, process

    def replies(self, conversations: Sequence[Sequence[dict[str, str]]]) -> list[str]:
        rows = [
            {"place": i, "messages": [{"role": m["role"], "content": m["content"]} for m in said]}
            for i, said in enumerate(conversations)
        ]
        found = self._process(ray.data.from_items(rows)).take_all()  # in any order
        replies = {row["place"]: row["reply"] for row in found}
        return [replies[i] for i in range(len(rows))]


def vllm(model: str) -> Callable[[Any], Any]:
    """A processor with vLLM, one replica a GPU."""
    from ray.data.llm import build_llm_processor, vLLMEngineProcessorConfig

    return build_llm_processor(
        vLLMEngineProcessorConfig(model_source=model, concurrency=1, batch_size=64),
        preprocess=lambda row: {
            "messages": row["messages"],
            "sampling_params": {"temperature": 0.0, "max_tokens": 64},
            "place": row["place"],
        },
        postprocess=lambda row: {"place": row["place"], "reply": row["generated_text"]},
    )


if __name__ == "__main__":
    from seedo import language, worlds

    model, out = sys.argv[1:]
    speaker = RayDataSpeaker(f"ray:{model}", vllm(model))
    language.record_speaker(worlds.make("dag"), speaker, 200, 0, out, resume=True)
