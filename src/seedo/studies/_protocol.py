"""What a study is: one claim, a design that could refute it, and a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from seedo.errors import UserError

Say = Callable[[str], None]
"""Takes one line about what is going on."""


@dataclass(frozen=True)
class Outcome:
    """What carrying out a study gave.

    Attributes:
        measure: name of the figures in `values`.
        values: every number, JSON-able.
        verdict: what they say about the claim, in sentences.
        runs: run folders worth a review.
        figures: SVG files in the study's folder.
    """

    measure: str
    values: Mapping[str, Any]
    verdict: str
    runs: list[str]
    figures: list[str] = field(default_factory=list)


@dataclass
class Finding:
    """Result of a study; `runs` are the run folders it rests on."""

    study: str
    claim: str
    design: str
    refuted_if: str
    scale: str
    measure: str
    values: dict[str, Any] = field(default_factory=dict)
    verdict: str = ""
    runs: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """One claim, with its design and what would refute it.

    Attributes:
        scales: how much is run, by name; of a type of the study's own.
        carry_out: (scale, folder, seed, say) -> outcome. Called again on the same folder it goes
            on where it stopped, with the same result.
    """

    name: str
    claim: str
    design: str
    refuted_if: str
    scales: Mapping[str, Any]
    carry_out: Callable[[Any, Path, int, Say], Outcome]

    def run(self, scale: str, out: Path, seed: int = 0, say: Say = print) -> Finding:
        """Carry out the study in a folder; an interrupted one goes on where it stopped.

        Raises:
            UserError: no such scale.
        """
        if scale not in self.scales:
            raise UserError("scale", scale, f"use one of {', '.join(self.scales)}")
        got = self.carry_out(self.scales[scale], out, seed, say)
        return Finding(
            study=self.name,
            claim=self.claim,
            design=self.design,
            refuted_if=self.refuted_if,
            scale=scale,
            measure=got.measure,
            values=dict(got.values),
            verdict=got.verdict,
            runs=got.runs,
            figures=got.figures,
        )


@dataclass(frozen=True)
class PlayerStudy:
    """A study of any player that is put to it; the rest as in `Study`.

    Attributes:
        carry_out: (player, scale, folder, seed, say) -> outcome.
    """

    name: str
    claim: str
    design: str
    refuted_if: str
    scales: Mapping[str, Any]
    carry_out: Callable[[Any, Any, Path, int, Say], Outcome]

    def of(self, player: Any) -> Study:
        """The study of this player."""
        return Study(
            self.name,
            self.claim,
            self.design,
            self.refuted_if,
            self.scales,
            partial(self.carry_out, player),
        )
