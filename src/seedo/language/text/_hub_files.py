"""The files that make an agent folder a checkpoint of Hugging Face `transformers`."""

from __future__ import annotations

import json
from typing import Any

from seedo.language.text._llama import LlamaPlan
from seedo.language.text._tokens import (
    ASSISTANT,
    ASSISTANT_ID,
    END,
    END_ID,
    PAD,
    PAD_ID,
    USER,
    tokenizer,
)

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'user' -%}" + USER + " {{ message['content'] | trim }}"
    "{%- elif message['role'] == 'assistant' -%}"
    + ASSISTANT
    + " {{ message['content'] | trim }}"
    + END
    + ""
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}" + ASSISTANT + "{%- endif -%}"
)
"""Instructions (system messages) are left out: the model has only ever read transcripts, and knows
no other rules."""

MOST_NEW_TOKENS = 16


def hub_files(plan: LlamaPlan) -> dict[str, bytes]:
    """Everything beside the weights: configuration, tokenizer, chat template."""
    config: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": plan.vocabulary,
        "hidden_size": plan.size,
        "intermediate_size": plan.inner,
        "num_hidden_layers": plan.layers,
        "num_attention_heads": plan.heads,
        "num_key_value_heads": plan.heads,
        "head_dim": plan.size // plan.heads,
        "hidden_act": "silu",
        "max_position_embeddings": plan.longest,
        "rms_norm_eps": plan.epsilon,
        "rope_theta": plan.theta,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "pad_token_id": PAD_ID,
        "bos_token_id": None,
        "eos_token_id": END_ID,
        "dtype": "float32",
    }
    generation = {
        "do_sample": False,
        "max_new_tokens": MOST_NEW_TOKENS,
        "pad_token_id": PAD_ID,
        "eos_token_id": END_ID,
    }
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "eos_token": END,
        "model_max_length": plan.longest,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    files = {
        "config.json": config,
        "generation_config.json": generation,
        "tokenizer_config.json": about,
        "tokenizer.json": json.loads(tokenizer().to_str()),
    }
    return {
        **{name: json.dumps(f, indent=1, ensure_ascii=False).encode() for name, f in files.items()},
        "chat_template.jinja": CHAT_TEMPLATE.encode(),
    }


__all__ = ["ASSISTANT_ID", "CHAT_TEMPLATE", "MOST_NEW_TOKENS", "hub_files"]
