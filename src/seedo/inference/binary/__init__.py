"""Switches: systems of on/off variables, judged exactly over every hypothesis.

Noisy-OR graphs and deterministic machines give one table, the likelihood of each outcome of each
intervention under each hypothesis; beliefs and information are read from such a table alone.
"""

from seedo.inference.binary._beliefs import entropy, information, update
from seedo.inference.binary._graphs import MOST_NODES, every_dag, reachable
from seedo.inference.binary._machines import Machine, every_machine, machine_likelihood
from seedo.inference.binary._noisy_or import (
    FREE,
    OFF,
    ON,
    every_outcome,
    every_setting,
    noisy_or,
)

__all__ = [
    "FREE",
    "MOST_NODES",
    "OFF",
    "ON",
    "Machine",
    "entropy",
    "every_dag",
    "every_machine",
    "every_outcome",
    "every_setting",
    "information",
    "machine_likelihood",
    "noisy_or",
    "reachable",
    "update",
]
