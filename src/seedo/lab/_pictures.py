"""Pictures, signals, numbers and lines of words as a page gets them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_url(picture: NDArray[np.uint8]) -> str:
    """A picture, uint8[height, width, 3], as a PNG in an address."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def as_shown(raw: NDArray[np.float32]) -> dict[str, Any]:
    """What is shown at a step as JSON, by its shape: `picture` of f32[height, width, 3] (an
    address; from 0 to 1, beyond cut off), `lines` of f32[samples, n], n of them, `bars` of f32[D].
    """
    if raw.ndim == 3:
        whole = np.rint(255 * np.clip(raw, 0.0, 1.0)).astype(np.uint8)
        return {"picture": data_url(whole)}
    rounded = np.round(raw.astype(np.float64), 3)
    return {"lines": rounded.T.tolist()} if raw.ndim == 2 else {"bars": rounded.tolist()}
