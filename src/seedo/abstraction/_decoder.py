"""Edges decoded from a network's states, step by step: what linear probes say of each episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedo.abstraction._inside import Looking
from seedo.abstraction._probes import PROBES, Learnt, Places, learnt, pairs, scored
from seedo.abstraction._states import Looked, States, states
from seedo.learning import Inputs
from seedo.statistics import Estimate


class Decoder(NamedTuple):
    """Linear probes of edges, one a step, at the layer that shows them best.

    What they say is what can be read off a state along lines, which is neither all that is in it
    nor what the network goes by.

    Attributes:
        layer: number of the state in `States.layers`.
        steps: before whose decisions the probes look, T of them.
        probes: of these steps.
        found: AUC of each on systems that it has not seen; see `scored`.
        untrained: of probes of a network of the same shape that has learnt nothing.
        known: of the exact posterior itself.
        taught, tested: how many episodes.
    """

    layer: int
    steps: tuple[int, ...]
    probes: tuple[Learnt, ...]
    found: tuple[Estimate, ...]
    untrained: tuple[Estimate, ...]
    known: tuple[Estimate, ...]
    taught: int
    tested: int

    def __call__(self, network: Looked, inputs: Inputs) -> NDArray[np.float64]:
        """P(i is a parent of j) off the network's states, float64[B, T, n, n]; 0 where i is j.

        Args:
            network: that of which the probes learnt.
            inputs: B episodes of its world.
        """
        state, n = states(network, inputs).layers[self.layer], inputs.outcome.shape[-1]
        said = [
            probe(pairs(state[:, step]))
            for step, probe in zip(self.steps, self.probes, strict=True)
        ]
        return np.stack(said, axis=1).reshape(len(state), len(said), n, n)


def decoder(looking: Looking, progress: Callable[[int, int], None] | None = None) -> Decoder:
    """Fit the probes of a network at every step that was looked at.

    Args:
        looking: of `look`; its `steps` are those of the decoder, and its episodes teach and test.
        progress: called with (steps done, of how many).
    """
    say = progress or (lambda done, total: None)
    layer, steps = looking.probe_layer(), sorted(looking.true.entropy)
    found: list[_Step] = []
    for number, step in enumerate(steps):
        say(number, len(steps))
        wanted, known, counts = looking.sought("edges", step)
        assert known is not None
        at = np.ix_(looking.test.rows, np.flatnonzero(counts))
        exact = scored(wanted[at], known[at], looking.seed)
        twin = _read(looking, looking.twin, layer, step)[1]
        found.append(_Step(*_read(looking, looking.network, layer, step), twin, exact))
    say(len(steps), len(steps))
    sizes = len(looking.learn.rows), len(looking.test.rows)
    return Decoder(
        layer,
        tuple(steps),
        tuple(each.probe for each in found),
        tuple(each.found for each in found),
        tuple(each.untrained for each in found),
        tuple(each.known for each in found),
        *sizes,
    )


class _Step(NamedTuple):
    """What a decoder has of one step."""

    probe: Learnt
    found: Estimate
    untrained: Estimate
    known: Estimate


def _read(
    looking: Looking, who: tuple[Looked, States, States], layer: int, step: int
) -> tuple[Learnt, Estimate]:
    """A probe of edges, taught, and how it does in the episodes kept for testing."""
    wanted, _, counts = looking.sought("edges", step)
    lesson, test = (pairs(own.layers[layer][:, step]) for own in who[1:])
    probe = learnt(Places(lesson, wanted[looking.learn.rows], counts), PROBES[0])
    said = probe(test)[:, counts]
    return probe, scored(wanted[looking.test.rows][:, counts], said, looking.seed)
