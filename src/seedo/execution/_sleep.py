"""Work that does nothing, to measure what handing it out costs."""

from __future__ import annotations

import os
import time
from typing import Any


def sleep(told: dict[str, Any]) -> dict[str, Any]:
    """Waits `seconds`; tells who waited."""
    time.sleep(told["seconds"])
    return {"process": os.getpid()}
