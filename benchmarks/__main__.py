"""`python -m benchmarks` runs every benchmark, one after the other.

Those whose rival is not installed are named and left out.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

RIVALS = {"exhaustive_search.py": "pgmpy"}

for script in sorted(Path(__file__).parent.glob("[!_]*.py")):
    rival = RIVALS.get(script.name)
    if rival and importlib.util.find_spec(rival) is None:
        print(f"== {script.name}: left out, needs {rival} (pip install {rival})")
        continue
    print(f"== {script.name}", flush=True)
    subprocess.run([sys.executable, str(script)], check=True)
