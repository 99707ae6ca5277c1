"""What the command line says of its options, in the words of the page."""

from __future__ import annotations

import re

from seedo.errors import UserError

_LABELS = {
    "graph": "“The graph”",
    "linear": "“Straight lines”",
    "nonlinear": "“Curves”",
    "require": "“Edges that are there”",
    "forbid": "“Edges that are not there”",
    "believe": "“How probable edges are”",
    "max-parents": "“Most direct causes”",
    "targets": "“What was done”",
    "sources": "role source",
    "unit": "role unit",
    "time": "role time",
    "weights": "role weight",
    "drop": "role ignored",
    "keep": "the roles",
    "types": "the types",
    "roles": "the roles",
    "missing": "“Missing”",
    "decimal": "“Decimal”",
    "can-set": "“What can be set”",
    "range": "“Ranges”",
    "values": "“Values”",
    "avoid": "“Never together”",
    "constraint": "“Constraints”",
    "cost": "“Costs”",
}
"""Labels of the page's controls, by option."""

_SAID = re.compile(r"--(types|roles) ([^=;]+?)=([\w/<]+)")
_CODE = re.compile(r"--missing (?:(\w+)=)?(\S+?)(?=[\s,;)]|$)")
_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")


def on_page(text: str) -> str:
    """A line with labels of the page's controls in the place of options."""
    text = _SAID.sub(lambda m: f"{m[1][:-1]} {m[3]} of {m[2]}", text)
    text = _CODE.sub(lambda m: f"“Missing”{f' of {m[1]}' if m[1] else ''}: {m[2]}", text)
    return _OPTION.sub(lambda m: _LABELS.get(m[1], m[0]), text)


def error_on_page(error: UserError) -> UserError:
    """The same error in the words of the page."""
    return UserError(on_page(error.field), error.value, on_page(error.remedy))
