"""One of several processes that learn together: `python -m seedo.learning._member`.

It reads what to do from its input, a line of JSON, and tells of it in lines of JSON. It ends when
its input does, which it does when whoever started it has died.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

import jax

from seedo.errors import UserError, in_one_line
from seedo.learning._imitation import take_part
from seedo.learning._together import Joined
from seedo.recipes import AUTO, Group

_HEARTBEAT = 60
"""Seconds after which a process that nothing is heard of is given up; one that dies is missed at
once."""
_REFUSED, _TROUBLE = 2, 3


def main() -> None:
    """Take part, and say how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what is printed is no answer

    def tell(**news: Any) -> None:
        answers.write(json.dumps(news).encode() + b"\n")

    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_whoever_asked, daemon=True).start()
    code = 0
    try:
        _take_part(task, tell)
        tell(done=True)
    except UserError as error:
        tell(refusal=str(error))
        code = _REFUSED
    except jax.errors.JaxRuntimeError as error:
        tell(trouble=in_one_line(error))
        code = _TROUBLE
    sys.stderr.flush()
    os._exit(code)  # JAX on its way out would wait for those that are gone


def _end_with_whoever_asked() -> None:
    sys.stdin.buffer.read()
    os._exit(_TROUBLE)


def _take_part(task: dict[str, Any], tell: Any) -> None:
    join(Group(**task["group"]), task["devices"], task["together_here"])
    among = Joined()
    tell(joined=among.number)
    group = Group(among.count)
    take_part(task["job"], among, lambda report: tell(report=report._asdict()), group)
    jax.distributed.shutdown()


def join(group: Group, devices: int, together_here: bool) -> None:
    """Become one of the group.

    Args:
        together_here: all of it runs on this machine, and shares its accelerators out.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM for itself
    if devices > 1 and "host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", devices)
    options: dict[str, Any] = {
        "initialization_timeout": max(1, round(group.join_within)),
        "heartbeat_timeout_seconds": _HEARTBEAT,
    }
    if group.coordinator != AUTO:
        options |= {
            "coordinator_address": group.coordinator,
            "num_processes": group.processes,
            "process_id": group.process_id,
            "cluster_detection_method": "deactivate",
        }
    if together_here:
        assert group.process_id is not None
        own = range(group.process_id * devices, (group.process_id + 1) * devices)
        options |= {
            "local_device_ids": list(own),
            "coordinator_bind_address": group.coordinator,
        }
    try:
        jax.distributed.initialize(**options)
    except ValueError as error:  # there is nobody to say who is who
        remedy = "no job of Slurm or Open MPI is found here: give HOST:PORT of process 0"
        raise UserError("coordinator", group.coordinator, remedy) from error


if __name__ == "__main__":
    main()
