"""Names of people that only the holder of a key can find again."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from seedo.errors import UserError

_BYTES = 32
_LETTERS = 16  # 64 bits: two of a million people share a name once in 40 million studies


class Pseudonyms:
    """Keyed hashes (HMAC-SHA-256) of names; without the key none can be tried against a list.

    Args:
        file: holds the key, 32 bytes as the lab's `secret`; drawn, for this user's eyes alone, if
            there is none.

    Raises:
        UserError: the file cannot be read or written, or holds no key.
    """

    def __init__(self, file: Path) -> None:
        try:
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as opened:
                    opened.write(secrets.token_bytes(_BYTES))
            self._key = file.read_bytes()
        except OSError as error:
            raise UserError("--key", str(file), f"cannot be used: {error.strerror}") from error
        if len(self._key) != _BYTES:
            remedy = f"no key: {len(self._key)} bytes in place of {_BYTES}; name another file"
            raise UserError("--key", str(file), remedy)

    def of(self, purpose: str, name: str) -> str:
        """The same for the same name and purpose, e.g. "p3f09c2d1a7b4e855"."""
        message = f"{purpose}:{name}".encode()
        return "p" + hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_LETTERS]
