"""What every test relies on: one CPU device, no window system, the same examples on every run."""

from __future__ import annotations

import os

# Before anything imports JAX or matplotlib.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XLA_FLAGS"] = ""  # an inherited device count would change what sharded code does
os.environ["MPLBACKEND"] = "Agg"

from hypothesis import HealthCheck, settings

# A first call compiles, which hypothesis takes for a slow example: hence no deadline.
_compiled = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _compiled, max_examples=25, derandomize=True)
settings.register_profile("thorough", _compiled, max_examples=500)
settings.load_profile("fast")
