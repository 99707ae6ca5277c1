"""`external:tclab`: the simulator of the Temperature Control Lab, two heaters and two sensors.

Needs the package tclab (extra `labs`); nothing of Seedo is imported here. A run begins at room
temperature, holds both heaters for ten minutes, or as many seconds as follow the name
(`external:tclab:300`), without waiting for them, and reads both temperatures. The goal is 50 °C at
the first sensor, unless the user says another.
"""

from __future__ import annotations

import random
from typing import Any

SECONDS = 600.0


class TCLab:
    """The lab; see the module.

    Args:
        seconds: how long the heaters are held.

    Raises:
        ValueError: that is no such number.
    """

    def __init__(self, seconds: str = str(SECONDS)) -> None:
        import tclab  # here, so that a library that is missing is named in one line

        self._model = tclab.TCLabModel
        self._seconds = float(seconds)
        if not 1 <= self._seconds <= 1e5:
            raise ValueError(f"hold the heaters for 1 to 100000 seconds, not {seconds}")
        heater = {"type": "real", "low": 0.0, "high": 100.0, "unit": "%"}
        self.spec = {
            "name": "Temperature Control Lab",
            "knobs": {"Q1": dict(heater), "Q2": dict(heater)},
            "readings": {"T1": {"unit": "°C"}, "T2": {"unit": "°C"}},
            "goals": {"T1": {"aim": "target", "target": 50.0}},
        }

    def run(self, setting: dict[str, Any], seed: int | None = None) -> dict[str, float]:
        random.seed(seed)  # of the sensors' noise
        lab = self._model(synced=False)
        lab.Q1(setting["Q1"])
        lab.Q2(setting["Q2"])
        lab.update(t=self._seconds)
        return {"T1": lab.T1, "T2": lab.T2}
