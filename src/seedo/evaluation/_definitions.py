"""What the figures of a review mean."""

from __future__ import annotations

from seedo.evaluation import (
    _attribution,
    _beside,
    _follows,
    _frontier,
    _information,
    _metrics,
    _mixed,
    _regret,
    _rows,
    _spoken,
    _stated,
)
from seedo.evaluation._frontier import Frontier
from seedo.evaluation._review import Review


def definitions(review: Review, frontier: Frontier | None = None) -> dict[str, str]:
    """By figure; only of those that the review has."""
    found = {**_metrics.DEFINITIONS, **_attribution.DEFINITIONS}
    if any(run.spoken for run in review.runs):
        found |= _spoken.DEFINITIONS
    if any(run.participants for run in review.runs):
        found |= _beside.DEFINITIONS
    if any(group.mixed for group in review.groups):
        found |= _mixed.DEFINITIONS
    if any(run.regret for run in review.runs):
        found |= _regret.DEFINITIONS
    if any(run.information for run in review.runs):
        found |= _information.DEFINITIONS
    if any(run.follows for run in review.runs):
        found |= _follows.DEFINITIONS
    if any(run.stated for run in review.runs):
        found |= _stated.DEFINITIONS
    if any(len(group.runs) > 1 for group in review.groups):
        found |= _rows.DEFINITIONS
    return found | (_frontier.DEFINITIONS if frontier else {})
