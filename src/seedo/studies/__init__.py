"""Studies: one claim each, with design, analysis and what would refute it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.studies import (
    bounded_rationality,
    context_length,
    dagger,
    data_fusion,
    data_mix,
    deconfounding,
    error_accumulation,
    explanations,
    fine_tuning,
    fragility,
    heldout_links,
    heldout_sets,
    limit,
    meta_scm,
    prompts,
    recitation,
    rl_explanations,
    text_explanations,
)
from seedo.studies._protocol import Finding, Outcome, PlayerStudy, Say, Study
from seedo.studies._spoken import TextPlayer, find_text_player

STUDIES: dict[str, Study | PlayerStudy] = {
    module.STUDY.name: module.STUDY
    for module in (
        heldout_links,
        heldout_sets,
        data_fusion,
        limit,
        error_accumulation,
        context_length,
        dagger,
        explanations,
        deconfounding,
        rl_explanations,
        text_explanations,
        meta_scm,
        recitation,
        prompts,
        fine_tuning,
        data_mix,
        bounded_rationality,
        fragility,
    )
}


def study(
    name: str,
    scale: str,
    out: str | Path,
    seed: int = 0,
    say: Say = print,
    player: TextPlayer | None = None,
) -> Finding:
    """Run a study by name into a folder and write its `study.json`.

    Args:
        player: who is studied, for a `PlayerStudy`; see `find_text_player`.

    Raises:
        UserError: unknown study or scale; a player where the study has its own, or none where it
            needs one.
    """
    if name not in STUDIES:
        raise UserError("study", name, f"use one of {', '.join(STUDIES)}")
    found = STUDIES[name]
    if isinstance(found, PlayerStudy):
        if player is None:
            remedy = f"{name} needs one: llm:MODEL, a text agent's folder or pretrained:dag-text"
            raise UserError("--player", None, remedy)
        found = found.of(player)
    elif player is not None:
        raise UserError("--player", player.name, f"{name} has its own players: leave it out")
    finding = found.run(scale, Path(out), seed, say)
    text = json.dumps(asdict(finding), indent=1, sort_keys=True)
    write_atomic(Path(out) / "study.json", text.encode())
    return finding


__all__ = [
    "STUDIES",
    "Finding",
    "Outcome",
    "PlayerStudy",
    "Say",
    "Study",
    "TextPlayer",
    "find_text_player",
    "study",
]
