"""`external:chamber:…`: the causal chambers of Gamella, Peters and Bühlmann (2025), Nature Machine
Intelligence: their simulators, and the real ones over the network.

Needs the package causalchamber (extra `labs`); nothing of Seedo is imported here.

- `external:chamber:wind`: the wind tunnel, `SimA1C3` with the parameters of its authors' tutorial:
  the loads of both fans and the hatch are knobs, read are the pressure downwind (noisy, relative to
  the room) and both fans' speeds; the goal is a pressure of 20 Pa.
- `external:chamber:light`: the light tunnel, `Deterministic` likewise, with white noise of half a
  per cent: the colours of the source and both polarisers are knobs, read are infrared and visible
  light at three places, the current and the angles; the goal is the most light at the third place.
- `external:chamber:FILE.json`: a chamber of the authors' remote laboratory. The file says
  `chamber_id`, `config`, `credentials_file` (their two lines, kept in a file of its own), perhaps
  `endpoint` and `wait` (milliseconds between setting and measuring), and `knobs`, `readings` and
  `goals` as in a campaign's file. Each run sets all knobs and takes one measurement.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WIND = {
    "L_min": 0.1, "omega_max": 3000.0, "S_max": 74.82473949999999, "Q_max": 186.7 / 3600,
    "r_0": 0.75, "beta": 0.15, "barometer_error": 0.0, "barometer_precision": 0.2,
}  # fmt: skip
LIGHT: dict[str, Any] = {
    "S": [[4.34165202, 2.8594438, 1.91565691], [0.89410569, 1.58679242, 2.68477163]],
    "d1": 0.1, "d2": 0.17, "d3": 0.25,
    "Ts": [0.42685688, 0.41231782, 0.46652526], "Tp": [0.2909342, 0.29624314, 0.30526271],
    "Tc": [0.00431032, 0.01447611, 0.02041075], "Q": [0.12834946, 0.12870338, 0.13078523],
    "C0": 58.13307318503893, "A": 1.42261211, "a1": 506.8049747171294, "a2": 510.98343062774353,
}  # fmt: skip
_HELD = {
    **{f"diode_ir_{i}": 2 for i in (1, 2, 3)}, **{f"diode_vis_{i}": 1 for i in (1, 2, 3)},
    **{f"t_ir_{i}": 3 for i in (1, 2, 3)}, **{f"t_vis_{i}": 3 for i in (1, 2, 3)},
    "v_c": 5, "v_angle_1": 5, "v_angle_2": 5,
}  # fmt: skip
_NOISE = 0.005


def Chamber(which: str = "") -> Any:
    """The chamber of a name; see the module.

    Raises:
        ValueError: there is none of this name.
    """
    if which == "wind":
        return Wind()
    if which == "light":
        return Light()
    if which.endswith(".json"):
        return Remote(Path(which))
    raise ValueError("use chamber:wind, chamber:light or chamber:FILE.json")


class Wind:
    """The wind tunnel's simulator."""

    def __init__(self) -> None:
        from causalchamber.simulators.wt import SimA1C3

        self._simulator = SimA1C3
        load = {"type": "real", "low": 0.0, "high": 1.0}
        self.spec = {
            "name": "wind tunnel, simulated",
            "knobs": {
                "load_in": load,
                "load_out": load,
                "hatch": {"type": "real", "low": 0.0, "high": 45.0, "unit": "°"},
            },
            "readings": {
                "pressure_downwind": {"unit": "Pa"},
                "rpm_in": {"unit": "1/min"},
                "rpm_out": {"unit": "1/min"},
            },
            "goals": {"pressure_downwind": {"aim": "target", "target": 20.0}},
        }

    def run(self, setting: dict[str, Any], seed: int | None = None) -> dict[str, float]:
        import numpy as np
        import pandas as pd

        simulator = self._simulator(**WIND, random_state=seed)
        # Two rows, because it cannot simulate a single one.
        inputs = pd.DataFrame([{**setting, "pressure_ambient": 0.0}] * 2)
        pairs = zip(self.spec["readings"], simulator.simulate_from_inputs(inputs), strict=True)
        return {name: float(np.ravel(values)[0]) for name, values in pairs}


class Light:
    """The light tunnel's simulator."""

    def __init__(self) -> None:
        import numpy as np
        from causalchamber.simulators.lt import Deterministic

        self._simulator = Deterministic(**{name: np.array(each) for name, each in LIGHT.items()})
        colour = {"type": "real", "low": 0.0, "high": 255.0}
        angle = {"type": "real", "low": -180.0, "high": 180.0, "unit": "°"}
        names = list(Deterministic.outputs_names)
        self.spec = {
            "name": "light tunnel, simulated",
            "knobs": {"red": colour, "green": colour, "blue": colour, "pol_1": angle,
                      "pol_2": angle},
            "readings": names,
            "goals": {"vis_3": {"aim": "maximize"}},
        }  # fmt: skip
        self._names = names

    def run(self, setting: dict[str, Any], seed: int | None = None) -> dict[str, float]:
        import numpy as np
        import pandas as pd

        read = self._simulator.simulate_from_inputs(pd.DataFrame([setting | _HELD]))
        values = np.array([float(np.ravel(value)[0]) for value in read])
        noise = np.random.default_rng(seed).normal(1.0, _NOISE, len(values))
        return dict(zip(self._names, (values * noise).tolist(), strict=True))


class Remote:
    """A real chamber, through the client of its makers."""

    def __init__(self, file: Path) -> None:
        try:
            told = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise ValueError(f"{file}: cannot be read: {error}") from None
        missing = [field for field in ("chamber_id", "config", "credentials_file", "knobs", "goals")
                   if field not in told]  # fmt: skip
        if missing:
            raise ValueError(f"{file}: {', '.join(missing)} missing")
        from causalchamber.lab import Chamber as Client

        where = {"endpoint": told["endpoint"]} if "endpoint" in told else {}
        credentials = str(file.parent / told["credentials_file"])
        self._chamber = Client(
            told["chamber_id"], told["config"], credentials_file=credentials, verbose=0, **where
        )
        self._wait = int(told.get("wait", 0))
        described = ("knobs", "readings", "goals", "constraints")
        self.spec = {field: told[field] for field in described if field in told}

    def run(self, setting: dict[str, Any]) -> dict[str, float]:
        batch = self._chamber.new_batch()
        for name, value in setting.items():
            batch.set(name, float(value))
        if self._wait:
            batch.wait(self._wait)
        batch.measure(n=1)
        found = batch.submit()
        table = found[0] if isinstance(found, tuple) else found
        row = table.iloc[-1].to_dict()
        return {str(name): value for name, value in row.items() if not isinstance(value, str)}
