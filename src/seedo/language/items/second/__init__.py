"""Gold answers derived a second time, from prompts alone.

Nothing here shares code with the generators: one module a kind, another method each.
"""

from __future__ import annotations

from seedo.language.items.second import (
    _entailment,
    _grids,
    _letter_strings,
    _matrices,
    _syllogisms,
    _wason,
)

_SOLVERS = {
    "syllogisms": _syllogisms.solve,
    "entailment": _entailment.solve,
    "wason": _wason.solve,
    "letter-strings": _letter_strings.solve,
    "matrices": _matrices.solve,
    "grids": _grids.solve,
}


def solve(kind: str, prompt: str) -> str:
    """The right answer to a prompt, in normal form.

    Raises:
        ValueError: the prompt is none of this kind, or its answer is not unique.
    """
    return _SOLVERS[kind](prompt)
