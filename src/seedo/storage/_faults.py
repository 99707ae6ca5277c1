"""What stores answer when they do not do what was asked: again, or in one line."""

from __future__ import annotations

import errno
import math
import os
import random
import time
from collections.abc import Callable
from typing import TypeVar

from seedo.errors import UserError, in_one_line

VARIABLE = "SEEDO_STORE_SECONDS"
"""Of the environment: how long a store that fails is asked again."""
_SECONDS = 60.0
_FIRST, _LONGEST = 0.1, 5.0
"""Seconds between tries: doubled each time, up to a longest; drawn between half and all of it."""

T = TypeVar("T")


class Torn(RuntimeError):
    """The store said that all is well, and kept something else than was sent."""


def patience() -> float:
    """Seconds for which a store that fails is asked again.

    Raises:
        UserError: the environment says something that is none.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return _SECONDS
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 86_400:
        raise UserError(VARIABLE, text, "give seconds from 0 to 86400, e.g. 60")
    return found


def insist(address: str, do: Callable[[], T]) -> T:
    """What `do` returns, tried again for as long as the store might recover.

    Raises:
        FileNotFoundError, FileExistsError: as the store answers.
        UserError: it will not be done, or the store did not recover in time.
    """
    until, rest = time.monotonic() + patience(), _FIRST
    while True:
        try:
            return do()
        except UserError:
            raise
        except Exception as error:
            reason, passing = _reason(error)
            if reason is None:
                raise
            if not passing or time.monotonic() + rest > until:
                tried = f" (tried for {patience():g} s, see {VARIABLE})" if passing else ""
                raise UserError(address, None, reason + tried) from error
        time.sleep(rest * random.uniform(0.5, 1))
        rest = min(2 * rest, _LONGEST)


_REFUSED = (
    "no permission: check the credentials in the environment (AWS_*, GOOGLE_*, AZURE_*) and what "
    "they may do there"
)
_CODES = {
    "NoSuchBucket": "there is no such bucket: make it first, or check its name",
    "InvalidBucketName": "no bucket can have this name: check the address",
    "InvalidAccessKeyId": "the store does not know this access key: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "wrong secret key: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired: get new ones, then go on with --resume",
    "RequestTimeTooSkewed": "the clock of this machine is wrong: set it",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "MethodNotAllowed": "the store is read-only here: choose another address",
}
_ABSENT = ("Connect", "Endpoint", "ServiceRequest")
_MISSING_BUCKET = ("bucket does not exist", "container does not exist", "bucket not found")
_CUT = ("Payload", "Incomplete", "ResponseParser", "Checksum")
_STATUS = ("status", "status_code", "code")
_PASSING = (errno.EIO, errno.EBUSY, errno.ETIMEDOUT, getattr(errno, "EREMOTEIO", errno.EIO))
_PASSING_CODES = ("RequestTimeout", "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch",
                  "OperationAborted", "ConditionalRequestConflict")  # fmt: skip


def _reason(error: Exception) -> tuple[str | None, bool]:
    """Why it went wrong, and whether it may go better another time; None: an answer, no fault."""
    code, name, said = _code(error), type(error).__name__, str(error)
    if code in _CODES:
        return _CODES[code], False
    if isinstance(error, FileNotFoundError):
        if any(words in said.lower() for words in _MISSING_BUCKET):
            return _CODES["NoSuchBucket"], False
        return None, False
    if isinstance(error, FileExistsError | IsADirectoryError):
        return None, False
    if isinstance(error, Torn):
        return f"{error}: check the store, and what lies between it and here", True
    if isinstance(error, PermissionError):
        return _REFUSED, False
    if "Credential" in name or "Credential" in said or "Authentication" in name:
        remedy = "no credentials: set them in the environment or the store's own configuration file"
        return f"{remedy} (AWS_ACCESS_KEY_ID, ...)", False
    if code in _PASSING_CODES:
        return f"the store fails ({code})", True
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return "the store does not answer in time: check the address and the network", True
    if isinstance(error, ConnectionError) or any(word in name for word in _ABSENT):
        return "nobody answers there: check the address (AWS_ENDPOINT_URL) and the network", True
    if any(word in name for word in _CUT):
        return f"answers of the store are cut off ({name})", True
    if isinstance(error, OSError) and error.errno in _PASSING:
        return f"the store fails ({code or in_one_line(error, 80)})", True
    status = next((s for n in _STATUS if isinstance(s := getattr(error, n, None), int)), 0)
    if status >= 500 or status == 429:
        return f"the store fails (status {status})", True
    return f"the store refuses it ({in_one_line(error, 120)})", False


def _code(error: BaseException | None) -> str:
    """What the store itself calls it, as far as a package passes it on."""
    while error is not None:
        answer = getattr(error, "response", None)
        if isinstance(answer, dict) and "Error" in answer:
            return str(answer["Error"].get("Code", ""))
        error = error.__cause__
    return ""
