"""World `surfaces`: simulated response surfaces of 1 to 12 knobs of any type."""

from seedo.worlds.surfaces._knobs import (
    CATEGORICAL,
    MOST_KNOBS,
    NUMERIC,
    STEPPED,
    Knobs,
    draw_knobs,
    draw_settings,
    snapped,
)
from seedo.worlds.surfaces._surface import Surface, beliefs, draw_surface, outcomes
from seedo.worlds.surfaces._world import SurfacesWorld, SurfaceTask

__all__ = [
    "CATEGORICAL",
    "MOST_KNOBS",
    "NUMERIC",
    "STEPPED",
    "Knobs",
    "Surface",
    "SurfaceTask",
    "SurfacesWorld",
    "beliefs",
    "draw_knobs",
    "draw_settings",
    "draw_surface",
    "outcomes",
    "snapped",
]
