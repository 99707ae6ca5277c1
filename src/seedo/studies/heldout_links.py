"""Study `heldout-links`: exploiting a cause-effect link that no training episode contains."""

from __future__ import annotations

from seedo.experimenters import READERS
from seedo.studies._imitation import Imitation, imitation_study, over_seeds, return_ratio


def _judge(found: dict[tuple[str, str, str], list[float]]) -> str:
    lines = []
    for preset in dict.fromkeys(key[0] for key in found):
        best = max(READERS, key=lambda r: found[preset, r, "heldout-link"][0])
        floor = found[preset, best, "heldout-link"][0]
        for network in ("plain", "equivariant"):
            inside, outside = (found[preset, network, s] for s in ("train", "heldout-link"))
            verdict = "supports" if min(outside) > floor else "refutes"
            lines.append(
                f"{preset}, {network}: {over_seeds(outside)} of the omniscient return on the "
                f"held-out link ({over_seeds(inside)} in distribution) against {floor:.3f} for the "
                f"best heuristic ({best}): {verdict} the claim."
            )
    return "\n".join(lines)


STUDY = imitation_study(
    name="heldout-links",
    claim=(
        "A network that only imitates logs in which D never influences E can, by experimenting, "
        "discover and exploit D as the best lever on E (Lampinen et al., 2023)."
    ),
    design=(
        "Expert logs of split `train` (D is never an ancestor of E), four fresh goals an episode; "
        "imitation from the files; then 5 experiments and one exploit action on systems of split "
        "`train` and of split `heldout-link` (goal E, best intervention on D). Sizes, do-values "
        "and noise are our choices; the paper's were not available to us."
    ),
    refuted_if="the return ratio on `heldout-link` does not exceed the best heuristic's.",
    imitation=Imitation(
        training={"exploits": 4, "goals": "fresh"},
        splits=("train", "heldout-link"),
        measure_name="return ratio",
        measure=return_ratio,
        judge=_judge,
    ),
)
