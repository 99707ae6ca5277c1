"""What a study is planned to find, as its file declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seedo.errors import UserError, is_number
from seedo.lab.study._fields import table


@dataclass(frozen=True)
class Plan:
    """Table `[plan]`.

    Attributes:
        factor: whose first two levels are compared.
        difference: the smallest difference between their mean scores that would matter.
    """

    factor: str
    difference: float = 0.1

    @staticmethod
    def from_json(plain: object) -> Plan:
        """The inverse of `to_json`; also of the file's table.

        Raises:
            UserError: names the key that cannot be used.
        """
        fields = table("plan", plain, ("factor", "difference"))
        factor, difference = fields.get("factor"), fields.get("difference", 0.1)
        if not isinstance(factor, str):
            raise UserError("plan.factor", factor, "name one of the study's factors")
        if not is_number(difference) or not 0 < difference <= 10:
            raise UserError("plan.difference", difference, "use a number above 0, up to 10")
        return Plan(factor, difference)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {"factor": self.factor, "difference": self.difference}
