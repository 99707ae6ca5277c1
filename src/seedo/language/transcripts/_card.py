"""The card of an export: what is in it, where it is from, and how trainers open it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from seedo.episodes import Origin

_LOADED = {
    "jsonl": 'load_dataset("json", data_files="{glob}", split="train")',
    "parquet": 'load_dataset("parquet", data_files="{glob}", split="train")',
}
_TRL = {
    "chat": "SFTConfig(assistant_only_loss=True)  # needs a chat template with generation marks",
    "completion": "SFTConfig()  # the loss is on the completion alone",
    "tools": "SFTConfig(assistant_only_loss=True)  # needs a chat template with tools and marks",
}
_SLIPS = (
    "Some actions are miswritten first, refused, and put right: slips, whose `training` is false. "
    "TRL's `assistant_only_loss` does not read that mark and would teach them: read it as below, "
    "or export with `--as completion`."
)
_AXOLOTL = """datasets:
  - path: .
    data_files: ["{glob}"]
    ds_type: {type}
    type: chat_template
    field_messages: messages
    message_field_training: training
    roles_to_train: []"""


def card(
    job: dict[str, Any], origins: Sequence[Origin], episodes: int, rows: int, left_out: int
) -> str:
    """README.md, with the header that dataset viewers read."""
    form, kind = job["as"], job["format"]
    glob, kind_name = f"train-*.{kind}", "json" if kind == "jsonl" else kind
    trl = f"# TRL: SFTTrainer(model, train_dataset=rows, args={_TRL[form]})"
    marked_slips = form == "chat" and job["slips"] > 0
    sources = [
        f"- world `{o.world}` ({json.dumps(json.loads(o.world_config), sort_keys=True)}), "
        f"played by `{o.experimenter}`, seed {o.seed}; log {digest[:12]}"
        for o, digest in zip(origins, job["logs"], strict=True)
    ]
    told = f"{episodes:,} episodes in {rows:,} rows."
    if left_out:
        told += f" {left_out:,} more have no words (a scored step passed with nothing done)."
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        f"  data_files: {glob}",
        "---",
        "",
        f"# Watched experiments, as {form}",
        "",
        f"{told} Written by Seedo; see manifest.json. Every message is what a player on stage "
        "would have heard or said; what the experimenter said is what there is to learn.",
        "",
        *sources,
        "",
        f"Put into words with `{json.dumps(job['conditions'], sort_keys=True)}`.",
        "",
        *([_SLIPS, ""] if marked_slips else []),
        "```python",
        "from datasets import load_dataset",
        f"rows = {_LOADED[kind].format(glob=glob)}",
        *([] if marked_slips else [trl]),
        "```",
    ]
    if form != "completion":
        lines += ["", "```yaml", _AXOLOTL.format(glob=glob, type=kind_name), "```"]
    return "\n".join(lines) + "\n"
