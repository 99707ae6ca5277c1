"""Player `careful`: sets one variable after the other, then the one that was best, in plain Python.

It plays in any world whose goal is a variable to raise.
"""

import numpy as np

from seedo.experimenters import Player
from seedo.worlds import EXPLOIT, EXPLORE, Action


class Careful(Player):
    name = "careful"
    host = True  # plain Python; without it, begin and act are compiled with JAX

    def begin(self, spec, rng, privileged):
        """What it remembers: the grid of values, and (target, value, outcome) of every trial."""
        return {"values": spec.do_values, "trials": []}

    def act(self, memory, seen, rng):
        if seen.target >= 0:
            trial = (int(seen.target), float(seen.value), np.array(seen.outcome))
            memory = memory | {"trials": [*memory["trials"], trial]}
        if seen.phase == EXPLORE:
            return self.explore(memory, seen, rng), memory
        if seen.phase == EXPLOIT:
            return self.exploit(memory, seen, rng), memory
        return Action(-1, 0.0), memory  # only observe

    def explore(self, memory, seen, rng):
        tried = [target for target, _, _ in memory["trials"]]
        fresh = [i for i in np.flatnonzero(seen.relevant) if i not in tried]
        target = int(rng.choice(fresh or np.flatnonzero(seen.relevant)))
        return Action(target, max(memory["values"]))

    def exploit(self, memory, seen, rng):
        """The variable with which the goal went furthest from 0, in the direction that raises it."""
        low, high = min(memory["values"]), max(memory["values"])
        trials = [(t, v, x[seen.goal]) for t, v, x in memory["trials"] if t != seen.goal]
        trials = [trial for trial in trials if np.isfinite(trial[2])]
        if not trials:
            others = [i for i in np.flatnonzero(seen.relevant) if i != seen.goal]
            return Action(int(rng.choice(others)), high)
        target, value, goal = max(trials, key=lambda trial: abs(trial[2]))
        upwards = goal * value > 0
        return Action(target, high if upwards else low)
