"""Posteriors over graphs that were sampled before: a second question does not sample again.

They are found by their content: the scores of all families to the last bit, the draws and the seed.
Nothing else goes into a posterior over graphs, so that whatever changes in a table, in what is
believed or in the families leads to another file, or leads to none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from seedo import __version__, programs
from seedo.episodes import write_atomic
from seedo.errors import UserError
from seedo.inference.exact._graph_posterior import (
    LISTED,
    GraphPosterior,
    Progress,
    graph_posterior,
)
from seedo.inference.scores._score_table import ScoreTable

_FORMAT = 2
_NUMBERS = ("log_evidence", "entropy_bits", "max_rhat", "min_ess", "converged", "largest_gap")


def kept_posterior(
    scores: ScoreTable,
    draws: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
    max_sweeps: int | None = None,
) -> GraphPosterior:
    """As `graph_posterior`, from the user's cache folder if it was sampled before.

    Nothing is kept where `programs.keep` was not called, or where all graphs are listed: that takes
    less time than reading. A file that cannot be read, or is not what it should be, counts as none.
    """
    place = programs.posteriors()
    if place is None or (scores.n <= LISTED and scores.full):
        return graph_posterior(scores, draws, seed, progress, max_sweeps)
    path = place / f"{_key(scores, draws, seed, max_sweeps)}.npz"
    found = _read(path, scores.n, draws)
    if found is None:
        found = graph_posterior(scores, draws, seed, progress, max_sweeps)
        _write(path, found)
    return found


def _key(scores: ScoreTable, draws: int, seed: int, max_sweeps: int | None = None) -> str:
    about = f"{_FORMAT} {__version__} {np.__version__} {draws} {seed} {max_sweeps}"
    found = hashlib.sha256(about.encode())
    for array in (scores.candidates, scores.score):
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _write(path: Path, posterior: GraphPosterior) -> None:
    numbers = {name: getattr(posterior, name) for name in _NUMBERS}
    about = json.dumps({"method": posterior.method, **numbers})
    data = io.BytesIO()
    np.savez_compressed(
        data, edges=posterior.edges, ancestors=posterior.ancestors,
        graphs=np.packbits(posterior.graphs), shape=np.array(posterior.graphs.shape),
        about=np.frombuffer(about.encode(), np.uint8),
    )  # fmt: skip
    try:
        write_atomic(path, data.getvalue(), shared=True)
    except UserError:  # a full disk is no reason not to answer
        return


def _read(path: Path, n: int, draws: int) -> GraphPosterior | None:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            shape = tuple(file["shape"].tolist())
            size = int(np.prod(shape))
            graphs = np.unpackbits(file["graphs"], count=size).astype(np.bool_).reshape(shape)
            edges, ancestors = file["edges"], file["ancestors"]
        os.utime(path)
        numbers = {name: about[name] for name in _NUMBERS}
        method = str(about["method"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    whole = len(shape) == 3 and shape[1:] == (n, n) and shape[0] >= draws
    if not whole or edges.shape != (n, n) or ancestors.shape != (n, n):
        return None
    return GraphPosterior(method, edges, ancestors, graphs, **numbers)
