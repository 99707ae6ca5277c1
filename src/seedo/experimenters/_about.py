"""What each player does, in a line, for `seedo list players`."""

from __future__ import annotations

from seedo.worlds import World

_ABOUT = {
    "scripted:expert": "knows the system: tests every variable once, then does what is best",
    "scripted:random": "acts by chance: the floor",
    "scripted:memoriser": "tests every variable, then does what its logs did most for this goal",
    "scripted:total-correlation": "pushes what correlates most with the goal",
    "scripted:partial-correlation": "regresses the goal on all, pushes the largest coefficient",
    "scripted:largest-effect": "repeats, or reverses, what moved the goal most",
    "scripted:slope": "fits a line to the goal under each variable that was set",
    "scripted:best-outcome": "repeats what was done when the goal was highest",
    "scripted:last-reward": "repeats its latest action if that paid, else does the opposite",
    "scripted:CHOOSER+READER": "e.g. rotation+slope: how it tests, and how it reads what it saw",
    "bayes:eig": "exact posterior; tests what tells most about the graph",
    "bayes:goal": "exact posterior; tests what helps most with the goal",
    "bayes:shuffled": "exact posterior; tests every variable once, in any order",
    "bayes:rotation": "exact posterior; tests every variable once, in the order of names",
    "bayes:random": "exact posterior; tests by chance",
    "bayes:none": "exact posterior; tests nothing",
    "bayes:sampled-K": "thinks of K graphs only, drawn from the prior",
    "bayes:mechanisms": "largest expected improvement, through the readings between",
    "random": "settings by chance: the floor",
    "sobol": "settings that fill the space",
    "grid": "a full factorial, in any order",
    "one-factor": "one knob at a time around the best so far",
    "response-surface": "largest expected improvement on a polynomial up to second order",
    "pretrained:tuner": "a network that learnt on simulated surfaces what looks promising",
    "bo:logei": "BoTorch: log expected improvement",
    "bo:lognei": "BoTorch: log noisy expected improvement",
    "bo:ucb": "BoTorch: upper confidence bound",
    "bo:thompson": "BoTorch: Thompson sampling",
}
_IN_FAMILY = {
    "rooms": {
        "scripted:expert": "takes shortest paths to the odd one out",
        "scripted:expert-colour": "as if colour decided which is the odd one",
        "scripted:expert-shape": "as if shape decided which is the odd one",
        "scripted:expert-texture": "as if texture decided which is the odd one",
        "scripted:expert-position": "as if position decided which is the odd one",
        "scripted:looking-expert": "an expert that knows of objects only what frames show",
        "scripted:random": "walks to any object",
        "scripted:nearest": "walks to the nearest object",
        "scripted:most-salient": "walks to the object that differs most from the others",
        "scripted:last-rewarded": "walks to the object most like the one that last paid",
        "scripted:wanderer": "any action at every step: the floor",
    },
    "blicket": {
        "scripted:expert": "knows the rule and the blickets",
        "scripted:one-at-a-time": "tests each object alone",
        "scripted:cumulative": "puts one object after another on the machine",
        "bayes:eig": "exact posterior; tests what tells most about rule and blickets",
    },
}


def about(player: str, world: type[World] | World) -> str:
    """What a player of `names_in(world)` does, in a line; of a world's own players, the beginning
    of what they say of themselves; "": nothing is said."""
    own = world.players.get(player.removeprefix("scripted:"))
    if own is not None and player.startswith("scripted:"):
        return (own.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return _IN_FAMILY.get(world.family, {}).get(player) or _ABOUT.get(player, "")
