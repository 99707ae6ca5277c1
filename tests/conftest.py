"""What every test relies on: one CPU device, no window system, the same examples on every run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

# Before anything imports JAX or matplotlib.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XLA_FLAGS"] = ""  # an inherited device count would change what sharded code does
os.environ["MPLBACKEND"] = "Agg"
# What one test has compiled serves the others and the commands they run, for this session only.
# A size limit makes JAX lock the cache, which two processes share.
if "UNDERSTUDY_TEST_CACHE" not in os.environ:
    os.environ["UNDERSTUDY_TEST_CACHE"] = _cache = tempfile.mkdtemp(prefix="understudy-xla-")
    atexit.register(shutil.rmtree, _cache, ignore_errors=True)
os.environ["JAX_COMPILATION_CACHE_DIR"] = os.environ["UNDERSTUDY_TEST_CACHE"]
os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] = str(4 * 2**30)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"

from hypothesis import HealthCheck, settings

# A first call compiles, which hypothesis takes for a slow example: hence no deadline.
_compiled = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", _compiled, max_examples=25, derandomize=True)
settings.register_profile("thorough", _compiled, max_examples=500)
settings.load_profile("fast")
