"""Study `heldout-links`: exploiting a cause-effect link that no training episode contains."""

from __future__ import annotations

from seedo.episodes import Dataset
from seedo.experimenters import READERS
from seedo.studies._imitation import NETWORKS, PRESETS, Scale, Values, imitation_study
from seedo.studies._words import over_seeds, supports


def return_ratio(played: Dataset) -> float:
    """Mean return over mean omniscient return."""
    batch = played.read(without=played.optional)
    return float(batch.returns.mean() / batch.oracle_return.mean())


def _judge(_: Scale, values: Values) -> list[str]:
    lines = []
    for preset in PRESETS:
        best = max(READERS, key=lambda r: values[f"{preset}/{r}/heldout-link"][0])
        floor = values[f"{preset}/{best}/heldout-link"][0]
        for network in NETWORKS:
            inside, outside = (values[f"{preset}/{network}/{s}"] for s in ("train", "heldout-link"))
            lines.append(
                f"{preset}, {network}: {over_seeds(outside)} of the omniscient return on the "
                f"held-out link ({over_seeds(inside)} in distribution) against {floor:.3f} for the "
                f"best heuristic ({best}): {supports(min(outside) > floor)} the claim."
            )
    return lines


STUDY = imitation_study(
    splits=("train", "heldout-link"),
    training={"exploits": 4, "goals": "fresh"},
    measure=return_ratio,
    judge=_judge,
    name="heldout-links",
    claim="""A network that only imitates logs in which D never influences E can, by experimenting,
        discover and exploit D as the best lever on E (Lampinen et al., 2023).""",
    design="""Expert logs of split `train` (D is never an ancestor of E), four fresh goals an
        episode; imitation from the files; then 5 experiments and one exploit action on systems of
        split `train` and of split `heldout-link` (goal E, best intervention on D). Sizes, do-values
        and noise are our choices; the paper's were not available to us. The expert knows the
        system and the noise is high: with less of it, or watching players that have to find out,
        an ordinary network passes too (study `transfer`).""",
    refuted_if="the return ratio on `heldout-link` does not exceed the best heuristic's.",
    measures="return ratio",
)
