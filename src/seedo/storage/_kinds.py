"""Kinds of object stores: their packages, and how each is asked for what all of them can do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from seedo.errors import UserError, in_one_line

_WHOLE = 5 * 2**30
"""Bytes up to which an object is sent in one request, which a store takes whole or not at all."""


@dataclass(frozen=True)
class Kind:
    """A kind of store.

    Attributes:
        package: what has to be installed.
        extra: of Seedo, that installs it; "" where fsspec alone does.
        options: of the file system.
        reading, writing: of single requests.
        creating: of one that writes only where nothing is.
        matching: options of a request that writes only over an object with this tag; None: the
            store is not asked for that.
        bucket: what it calls the first part of an address.
    """

    package: str
    extra: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    writing: Mapping[str, Any] = field(default_factory=dict)
    creating: Mapping[str, Any] = field(default_factory=lambda: {"mode": "create"})
    matching: Callable[[str], dict[str, Any]] | None = None
    bucket: str = "bucket"


KINDS = {
    "s3": Kind(
        "s3fs", "s3",
        # Whoever asks tries again, see `_faults`: botocore is not to do it as well, each time.
        {"config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 5,
                           "read_timeout": 20, "max_pool_connections": 32}},
        {"max_concurrency": 1}, {"chunksize": _WHOLE},
        matching=lambda tag: {"IfMatch": tag},
    ),
    "gs": Kind("gcsfs", "gs", writing={"chunksize": _WHOLE}),
    "az": Kind("adlfs", "az", creating={"overwrite": False}, bucket="container"),
    "memory": Kind("fsspec", ""),
}  # fmt: skip
"""By scheme. `memory` is one of this process, to try things with."""

_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_")
"""How names in the environment begin that say where a store is and who asks."""
_OPENED: dict[tuple[str, ...], Any] = {}
_LOCK = threading.Lock()


def file_system(scheme: str) -> Any:
    """The file system of a scheme, made once for what the environment says, where keys come from.

    Raises:
        UserError: its package is missing, or it cannot be set up.
    """
    told = (name for name in os.environ if name.startswith(_SETTINGS))
    asked = (scheme, *(f"{name}={os.environ[name]}" for name in sorted(told)))
    with _LOCK:
        if asked in _OPENED:
            return _OPENED[asked]
        kind = KINDS[scheme]
        try:
            import_module(kind.package)
        except ImportError as error:
            remedy = f'needs {kind.package}: pip install "seedo[{kind.extra or "s3"}]"'
            raise UserError(f"{scheme}://", None, remedy) from error
        import fsspec

        try:
            found = fsspec.filesystem(
                scheme, use_listings_cache=False, skip_instance_cache=scheme != "memory",
                **kind.options,
            )  # fmt: skip
        except Exception as error:  # an account that is not named, a bad configuration file
            raise UserError(f"{scheme}://", None, in_one_line(error, 160)) from error
        if hasattr(found, "retries"):
            found.retries = 1
        _OPENED[asked] = found
        return found
