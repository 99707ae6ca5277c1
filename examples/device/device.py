"""A device behind HTTP: a pretended flow reactor, for the walk in docs/campaigns.md.

Start it with `python examples/device/device.py`; it needs nothing but Python. A run is a POST of a
setting as JSON; what was read comes back as JSON. With `GET /spec` it tells its own knobs.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPEC = {
    "knobs": {
        "temperature": {"low": 20, "high": 110, "step": 0.5, "unit": "°C"},
        "residence": {"low": 1, "high": 10, "unit": "min"},
        "ligand": {"levels": ["L1", "L2", "L3", "L4"]},
    },
    "readings": {"pressure": {"unit": "bar", "low": 0, "high": 20}},
    "goals": {"yield": {"aim": "maximize"}},
}
_STRENGTH = {"L1": 0.55, "L2": 0.8, "L3": 1.0, "L4": 0.7}
_BEST = {"L1": 60.0, "L2": 85.0, "L3": 72.0, "L4": 95.0}
"""The temperature at which each ligand works best, in °C."""


def truth(temperature: float, residence: float, ligand: str) -> float:
    """The mean yield, in per cent."""
    warm = math.exp(-(((temperature - _BEST[ligand]) / 28) ** 2))
    made = 1 - math.exp(-residence / 2.5)
    lost = 0.035 * residence * math.exp((temperature - 90) / 25)
    return 100 * max(_STRENGTH[ligand] * warm * made - lost, 0.0)


def measured(setting: dict[str, object], noise: random.Random) -> dict[str, float]:
    """One run.

    Raises:
        OverflowError: the safety valve opened: there is nothing to read.
    """
    temperature, residence = float(str(setting["temperature"])), float(str(setting["residence"]))
    pressure = 2 + 0.0011 * temperature**2 + 3 / residence + noise.gauss(0, 0.2)
    if pressure > 15:
        raise OverflowError("the safety valve opened")
    value = truth(temperature, residence, str(setting["ligand"])) + noise.gauss(0, 1.5)
    return {"yield": round(value, 2), "pressure": round(pressure, 2)}


class Device(BaseHTTPRequestHandler):
    """Answers GET /spec and POST /run."""

    noise = random.Random(7)
    seconds = 0.2

    def do_GET(self) -> None:
        self._reply(200, SPEC)

    def do_POST(self) -> None:
        setting = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.seconds)
        try:
            self._reply(200, measured(setting, self.noise))
        except OverflowError as error:
            self._reply(503, {"error": str(error)})

    def _reply(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    print(f"a reactor at http://127.0.0.1:{port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Device).serve_forever()
