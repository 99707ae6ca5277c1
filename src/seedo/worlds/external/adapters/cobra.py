"""`external:cobra:MODEL`: a metabolic model whose reactions can be knocked out (flux balance).

Needs the package cobra (extra `labs`); nothing of Seedo is imported here. MODEL is the name of a
model that comes with COBRApy (`textbook`, the core of E. coli), or a file (SBML, JSON, YAML; never
MATLAB's or a pickle). `?genes=` names what can be knocked out, separated by commas; without it, all
reactions of the central pathways, at most 40, that can carry flux and without one of which the cell
still grows. A knob is `on` or `off`, `glucose` how much of it may be taken up, `oxygen` likewise.
Read are the growth rate (the model's objective), the secretion of acetate, ethanol, formate,
succinate and lactate where the model has them; `product` after `?` names the exchange to be raised,
e.g. `?product=EX_succ_e`, the goal then being growth times secretion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_UPTAKES = {"glucose": "EX_glc__D_e", "oxygen": "EX_o2_e"}
_SECRETED = ("EX_ac_e", "EX_etoh_e", "EX_for_e", "EX_succ_e", "EX_lac__D_e")
_MOST = 40
_ALIVE = 0.01
"""Growth per hour below which a cell is dead."""


class Metabolism:
    """The model; see the module.

    Args:
        name: MODEL, perhaps with `?knockouts=A,B&product=EX_succ_e`.

    Raises:
        ValueError: there is no such model, reaction or option.
    """

    def __init__(self, name: str = "textbook") -> None:
        where, _, rest = name.partition("?")
        options = _options(rest)
        self._model = _loaded(where)
        if self._model.slim_optimize(error_value=0.0) < _ALIVE:
            raise ValueError(f"{where}: it does not grow on its own medium")
        known = {reaction.id for reaction in self._model.reactions}
        self._uptakes = {k: v for k, v in _UPTAKES.items() if v in known}
        self._secreted = tuple(r for r in _SECRETED if r in known)
        self._product = options.get("product", "")
        named = [r for r in options.get("knockouts", "").split(",") if r]
        for reaction in [*named, *([self._product] if self._product else [])]:
            if reaction not in known:
                raise ValueError(f"{where} has no reaction {reaction}")
        self._knockouts = tuple(named) or self._able()
        if self._product and self._product not in self._secreted:
            self._secreted = (*self._secreted, self._product)
        self.spec = {
            "name": where,
            "knobs": {r: {"type": "categorical", "levels": ["on", "off"]} for r in self._knockouts}
            | {
                name: {"type": "real", "low": 0.0, "high": high, "unit": "mmol/gDW/h"}
                for name, high in (("glucose", 20.0), ("oxygen", 40.0))
                if name in self._uptakes
            },
            "readings": {"growth": {"unit": "1/h"}}
            | {r: {"unit": "mmol/gDW/h"} for r in self._secreted}
            | ({"yield_of_product": {}} if self._product else {}),
            "goals": {"yield_of_product" if self._product else "growth": {"aim": "maximize"}},
        }

    def run(self, setting: dict[str, Any]) -> dict[str, float]:
        with self._model as model:
            for reaction in self._knockouts:
                if setting[reaction] == "off":
                    model.reactions.get_by_id(reaction).knock_out()
            for name, reaction in self._uptakes.items():
                model.reactions.get_by_id(reaction).lower_bound = -float(setting[name])
            solution = model.optimize(raise_error=False)
            alive = solution.status == "optimal"
            growth = float(solution.objective_value) if alive else 0.0
            found = {"growth": growth}
            for reaction in self._secreted:
                found[reaction] = float(solution.fluxes[reaction]) if alive else 0.0
        if self._product:
            found["yield_of_product"] = growth * max(found[self._product], 0.0)
        return {name: round(value, 9) + 0.0 for name, value in found.items()}

    def _able(self) -> tuple[str, ...]:
        """Reactions that carry flux, none of which the cell needs."""
        fluxes = self._model.optimize().fluxes
        found = []
        for reaction in self._model.reactions:
            if (
                reaction.boundary
                or reaction.objective_coefficient
                or abs(fluxes[reaction.id]) < 0.1
            ):
                continue
            with self._model:
                reaction.knock_out()
                if self._model.slim_optimize(error_value=0.0) >= _ALIVE:
                    found.append(reaction.id)
        return tuple(found[:_MOST])


def _options(text: str) -> dict[str, str]:
    found = dict(part.partition("=")[::2] for part in text.split("&") if part)
    for name in found:
        if name not in ("knockouts", "product"):
            raise ValueError(f"after ? only knockouts= and product= may stand, not {name}")
    return found


def _loaded(where: str) -> Any:
    import cobra.io  # here, so that a library that is missing is named in one line

    path = Path(where)
    if not path.is_file():
        if "/" in where or path.suffix:
            raise ValueError(f"{where}: there is no such file")
        bundled = Path(cobra.io.__file__).parents[1] / "data" / f"{where}.xml.gz"
        if not bundled.is_file():
            raise ValueError(f"COBRApy brings no model {where}: use textbook, or a file")
        return cobra.io.read_sbml_model(str(bundled))
    readers = {".json": cobra.io.load_json_model, ".yml": cobra.io.load_yaml_model,
               ".yaml": cobra.io.load_yaml_model}  # fmt: skip
    kind = path.suffix.lower()
    if kind not in (*readers, ".xml", ".sbml", ".gz", ".bz2"):
        raise ValueError(f"{where}: give SBML (.xml, .sbml), JSON or YAML")
    return readers.get(kind, cobra.io.read_sbml_model)(str(path))
