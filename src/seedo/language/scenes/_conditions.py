"""What differs between the ways in which one task can be put to a language model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, one_of, whole

NAME_KINDS = ("nonsense", "letters", "familiar", "contrary", "permuted", "twelve")
"""Where the names of variables come from."""
INSTRUCTIONS = ("rules", "strategy")
TOOLS = ("none", "actions", "analysis")


@dataclass(frozen=True)
class Conditions:
    """Switches of a prompt; every one is a main effect that a study can measure.

    Attributes:
        names: what variables are called: `nonsense` words, `letters` (those of the logs),
            `familiar` (true to the system), `contrary` (familiar, against the system's direction)
            or `permuted` (familiar, at random); or the `twelve` words that text understudies have
            as tokens, for those that are served by others.
        instruction: `rules` only, or `strategy`: also that every variable is worth testing and
            that correlation is not causation.
        reasoning: replies may think step by step before their last line.
        check: before the first exploit step, the player is asked to state its theory and to check
            it against the data.
        structure: before the first exploit step, the player is asked which variable influences
            which, in a strict form that is scored.
        recap: before the first scored action, everything that was seen is said again, sorted by
            what was set.
        examples: whole example episodes shown first. explanations: of them, say why.
        tools: `none`: one-line text actions; `actions`: actions as tools; `analysis`: also a
            posterior, a regression and a calculator.
        decimals: digits after the point of every number said.
        turns: each turn says which experiment it is of how many, and the first shows an action.
        strict: a reply has to be the very line that is asked for; else one that is unmistakably one
            legal action is taken in whatever wrapping.
        attempts: malformed replies at one step before the step passes with nothing done.
    """

    names: str = "nonsense"
    instruction: str = "rules"
    reasoning: bool = False
    check: bool = False
    structure: bool = False
    recap: bool = False
    examples: int = 0
    explanations: bool = False
    tools: str = "none"
    decimals: int = 1
    attempts: int = 3
    turns: bool = True
    strict: bool = False

    def __post_init__(self) -> None:
        for field, options in (
            ("names", NAME_KINDS),
            ("instruction", INSTRUCTIONS),
            ("tools", TOOLS),
        ):
            one_of(field, getattr(self, field), options)
        for field in (f.name for f in dataclasses.fields(self) if isinstance(f.default, bool)):
            if not isinstance(getattr(self, field), bool):
                raise UserError(field, getattr(self, field), "use true or false")
        for field, lowest, highest in (
            ("examples", 0, 16),
            ("decimals", 0, 6),
            ("attempts", 1, 10),
        ):
            whole(field, getattr(self, field), lowest, highest)

    @property
    def shows_lines(self) -> bool:
        """Whether each turn ends in a line that shows an action: those who call tools see how."""
        return self.turns and self.tools == "none"

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> Conditions:
        """Raises UserError for a field that is none of these."""
        known = {f.name for f in dataclasses.fields(Conditions)}
        for field in fields:
            if field not in known:
                raise UserError(field, fields[field], f"use one of {', '.join(sorted(known))}")
        return Conditions(**fields)
