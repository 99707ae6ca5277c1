"""Study `heldout-sets`: exploring a set of cued variables never seen together in training."""

from __future__ import annotations

import numpy as np

from seedo.episodes import Dataset
from seedo.studies._imitation import NETWORKS, PRESETS, Scale, Values, imitation_study
from seedo.studies._words import over_seeds, supports
from seedo.worlds import EXPLORE


def cued_set_explored(played: Dataset) -> float:
    """Share of episodes in which the variables tested are exactly the relevant ones."""
    batch = played.read(without=played.optional)
    tested = np.zeros(batch.mask.shape, bool)
    for step in range(batch.steps):
        rows = np.flatnonzero((batch.phase[:, step] == EXPLORE) & (batch.target[:, step] >= 0))
        tested[rows, batch.target[rows, step]] = True
    return float((tested == batch.mask).all(axis=1).mean())


def _judge(_: Scale, values: Values) -> list[str]:
    lines = []
    for preset in PRESETS:
        chance = values[f"{preset}/random/heldout-set"][0]
        for network in NETWORKS:
            inside, outside = (values[f"{preset}/{network}/{s}"] for s in ("train", "heldout-set"))
            # The claim is about transfer: nearly what is achieved on the sets of training.
            good = min(outside) >= 0.9 * float(np.mean(inside))
            lines.append(
                f"{preset}, {network}: explores exactly the cued set in {over_seeds(outside)} of "
                f"episodes with held-out sets ({over_seeds(inside)} with training sets; chance "
                f"{chance:.3f}): {supports(good)} the claim."
            )
    return lines


STUDY = imitation_study(
    splits=("train", "heldout-set"),
    training={"n": 10, "relevant": 5},
    measure=cued_set_explored,
    judge=_judge,
    name="heldout-sets",
    claim="""A network that only imitates logs explores the cued variables, each once and no others,
        also for sets of variables that were never cued together (Lampinen et al., 2023).""",
    design="""10 variables of which 5 are cued; about a fifth of the 252 sets never occur in the
        logs (indices sum to 0 modulo 5). Imitation from the files; then 5 experiments on systems
        with training sets and with held-out sets.""",
    refuted_if="""on held-out sets the share of episodes that explore exactly the cued set falls
        below 0.9 of the share on training sets.""",
    measures="cued set explored",
)
