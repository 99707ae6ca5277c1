"""What is kept between runs in the user's cache folder: compiled programs, and answers' grounds."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any

LARGEST = 2**30
"""Bytes that the cache may hold; above it, what was used longest ago goes."""

WORTH_KEEPING = 0.1
"""Seconds of compiling from which on a program is kept; reading it back takes time too."""


LARGEST_POSTERIORS = 2**28
"""Bytes that posteriors over graphs may take."""

_kept: list[Path] = []
"""Where posteriors are kept, if they are: whoever uses the package as a library keeps none."""


def folder(what: str = "xla") -> Path:
    """Where compiled programs lie: `seedo/xla` in XDG_CACHE_HOME, or in ~/.cache. `posteriors`
    lie beside them."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seedo" / what


def posteriors() -> Path | None:
    """Where posteriors over graphs are kept; None where nothing is (before `keep`)."""
    return _kept[0] if _kept else None


def keep() -> None:
    """Have JAX keep what it compiles in `folder()`, unless SEEDO_CACHE=0 or JAX was told otherwise.

    Does not import JAX: what is set are the variables that it reads when it is imported, and its
    configuration only where it has been imported already. JAX's own limit on the size would need a
    further package; instead a folder that has become too large is cut down here.
    """
    _kept.clear()
    if os.environ.get("SEEDO_CACHE") == "0" or "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        place = folder("posteriors")
        place.mkdir(parents=True, exist_ok=True)
        if os.access(place, os.W_OK):
            shrink(LARGEST_POSTERIORS, place)
            _kept.append(place)
        folder().mkdir(parents=True, exist_ok=True)
        if not os.access(folder(), os.W_OK):
            return
        shrink(LARGEST)
    except (OSError, RuntimeError):  # no home, or nowhere to write: every run compiles
        return
    settings = {
        "jax_compilation_cache_dir": str(folder()),
        "jax_persistent_cache_min_compile_time_secs": WORTH_KEEPING,
        "jax_persistent_cache_min_entry_size_bytes": 0,
    }
    if (jax := sys.modules.get("jax")) is not None:
        if jax.config.values.get("jax_compilation_cache_dir") is None:
            for name, value in settings.items():
                jax.config.update(name, value)
    else:
        os.environ.update({name.upper(): str(value) for name, value in settings.items()})


@functools.cache
def quickly() -> dict[str, Any]:
    """Options of `jax.jit` under which a program is compiled in less than half the time, and runs
    slower: for what runs a few times. The first call starts JAX's backend."""
    import jax

    base = {"xla_backend_optimization_level": 0}
    known = base | {"xla_cpu_use_fusion_emitters": False}
    try:  # not every version of XLA has it
        jax.jit(lambda x: x + 1, compiler_options=known).lower(0.0).compile()
    except Exception:
        return base
    return known


def clear() -> int:
    """Delete all that is kept; how many bytes that gave back."""
    return shrink(0) + shrink(0, folder("posteriors"))


def shrink(largest: int, place: Path | None = None) -> int:
    """Delete what was used longest ago until no more than `largest` bytes are left, a quarter less
    if anything has to go; how many bytes went. In the folder of programs if none is given."""
    files = []
    for path in (place or folder()).glob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:  # another process is at it too
            continue
        files.append((max(found.st_atime, found.st_mtime), found.st_size, path))
    size = sum(bytes_ for _, bytes_, _ in files)
    if size <= largest and largest:
        return 0
    gone = 0
    for _, bytes_, path in sorted(files):
        if size - gone <= largest * 3 // 4 and largest:
            break
        path.unlink(missing_ok=True)
        gone += bytes_
    return gone
