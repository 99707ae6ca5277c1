"""What a step would have shown: as a picture with what it showed, as arrays, in words."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from seedo.abstraction import Imagined, Shot
from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.reports._drawing import STYLE, panels


def imagined_lines(found: Imagined) -> list[str]:
    """What would have been shown, and how far that may be off."""
    if found.shot is None:
        return [f"Not shown: {found.refused}"]
    shot = found.shot
    noise = f"its noise is {shot.noise:.3g}"
    lines = [
        f"what step {found.step} of episode {found.episode} would have shown: with 95 % within "
        f"{shot.within:.2g} a number (root mean square; {noise}); the mean over all systems that "
        "these rows leave possible, errors of reading and of showing in"
    ]
    units = f", {shot.apart / shot.noise:.2g} times its noise" if shot.noise else ""
    lines.append(f"simulated, so the truth is known: off by {shot.apart:.2g} a number{units}")
    values = (f"{n} {m:.3g} [{a:.3g}, {b:.3g}]" for n, (m, a, b) in shot.variables.items())
    lines.append(f"variables would have been: {', '.join(values)}")
    return lines


def write_shot(shot: Shot, path: Path) -> None:
    """Write what would have been shown: .png a picture beside what was shown; .npy the array in
    its shape; .npz all arrays: was, would, low, high, truth.

    Raises:
        UserError: a .png of what is no picture.
    """
    names = ("was", "would", "low", "high", "truth")
    arrays = {name: getattr(shot, name).reshape(shot.shape) for name in names}
    file = io.BytesIO()
    if path.suffix.casefold() == ".npy":
        np.save(file, arrays["would"])
    elif path.suffix.casefold() == ".npz":
        np.savez(file, **arrays)
    else:
        _check_picture(path, shot.shape)
        file.write(_picture(arrays))
    write_atomic(path, file.getvalue())


def _check_picture(path: Path, shape: tuple[int, ...]) -> None:
    """Raises UserError for a picture of what is none."""
    if path.suffix.casefold() == ".png" and (len(shape) != 3 or shape[-1] != 3):
        remedy = "what is shown is no picture: end the file's name in .npy or .npz"
        raise UserError("--out", str(path), remedy)


def _picture(arrays: dict[str, NDArray[np.float32]]) -> bytes:
    """What was shown, what would have been, its uncertainty and the truth, side by side."""
    wide = arrays["high"] - arrays["low"]
    shown = {
        "was shown": arrays["was"],
        "would have been": arrays["would"],
        f"width of 95 % (white: {wide.max():.2g})": wide / max(float(wide.max()), 1e-9),
        "truly would have been": arrays["truth"],
    }
    out = io.BytesIO()
    with rc_context(STYLE | dict.fromkeys(("text.color", "axes.titlecolor"), "black")):
        figure, axes = panels(1, len(shown), 8.0, 2.4)
        for ax, (title, picture) in zip(axes[0], shown.items(), strict=True):
            ax.imshow(np.clip(picture, 0.0, 1.0), interpolation="nearest")
            ax.set_title(title)
            ax.axis("off")
        figure.savefig(out, format="png", dpi=150, metadata={"Software": None}, facecolor="white")
    return out.getvalue()
