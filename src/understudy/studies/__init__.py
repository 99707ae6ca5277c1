"""Studies: one claim each, with design, analysis and what would refute it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from understudy.episodes import write_atomic
from understudy.errors import UserError
from understudy.studies import (
    data_fusion,
    deconfounding,
    explanations,
    heldout_links,
    heldout_sets,
    limit,
    rl_explanations,
)
from understudy.studies._protocol import Finding, Outcome, Say, Study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        heldout_links,
        heldout_sets,
        data_fusion,
        limit,
        explanations,
        deconfounding,
        rl_explanations,
    )
}


def study(name: str, scale: str, out: str | Path, seed: int = 0, say: Say = print) -> Finding:
    """Run a study by name into a folder and write its `study.json`.

    Raises:
        UserError: unknown study or scale.
    """
    if name not in STUDIES:
        raise UserError("study", name, f"use one of {', '.join(STUDIES)}")
    finding = STUDIES[name].run(scale, Path(out), seed, say)
    text = json.dumps(asdict(finding), indent=1, sort_keys=True)
    write_atomic(Path(out) / "study.json", text.encode())
    return finding


__all__ = ["STUDIES", "Finding", "Outcome", "Say", "Study", "study"]
