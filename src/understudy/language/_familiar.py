"""Names that tell something about the world."""

from __future__ import annotations

import numpy as np

from understudy.evaluation import LiveEpisode
from understudy.language._names import Names


def familiar(episode: LiveEpisode, kind: str, rng: np.random.Generator) -> Names:
    """Names of a theme; `familiar`, `contrary` or `permuted`, see `Conditions.names`."""
    raise NotImplementedError
