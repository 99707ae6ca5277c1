"""Words whose relations are known, and words that mean nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seedo.language.items._draw import pick

NONSENSE = tuple(
    "blick fep wug zib mip gonk ganf spod trilm quen yalt borp vint drel plim grot frell jolt tiv "
    "oberk ralm skeb thun clov drant snerg plonet vorp greb thrail mulk brone".split()
)
"""Pseudo-words that take a plural in -s."""

KINDS_OF_THINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "animal": {
        "birds": ("sparrows", "eagles", "owls", "pigeons", "herons", "swallows"),
        "insects": ("beetles", "ants", "wasps", "moths", "crickets", "ladybirds"),
        "reptiles": ("lizards", "snakes", "crocodiles", "tortoises", "geckos", "iguanas"),
        "mammals": ("horses", "foxes", "otters", "goats", "badgers", "elephants"),
    },
    "plant": {
        "flowers": ("daisies", "tulips", "daffodils", "orchids", "marigolds", "violets"),
        "trees": ("oaks", "birches", "willows", "maples", "beeches", "spruces"),
        "vegetables": ("carrots", "onions", "cabbages", "leeks", "turnips", "parsnips"),
    },
    "artefact": {
        "tools": ("hammers", "saws", "chisels", "screwdrivers", "spanners", "pliers"),
        "vehicles": ("buses", "lorries", "taxis", "trams", "tractors", "scooters"),
        "musical instruments": ("violins", "flutes", "trumpets", "harps", "cellos", "oboes"),
    },
}
"""Realm -> kind -> members. Every member is of its kind and of no other kind here; nothing of one
realm is of another; no kind is the whole of its realm."""

OVERLAPPING = (
    ("pets", "birds"),
    ("pets", "reptiles"),
    ("teachers", "cyclists"),
    ("farmers", "musicians"),
    ("parents", "doctors"),
    ("students", "swimmers"),
    ("bakers", "grandfathers"),
    ("painters", "gardeners"),
    ("antiques", "clocks"),
    ("presents", "books"),
    ("toys", "red things"),
    ("round things", "buttons"),
)
"""Pairs of which some are the other and some are not, both ways."""

OPPOSITES = (
    ("ice", "cold", "hot"),
    ("fire", "hot", "cold"),
    ("the sun", "bright", "dark"),
    ("midnight", "dark", "bright"),
    ("lead", "heavy", "light"),
    ("a feather", "light", "heavy"),
    ("sugar", "sweet", "salty"),
    ("sea water", "salty", "sweet"),
    ("snow", "white", "black"),
    ("coal", "black", "white"),
    ("a snail", "slow", "fast"),
    ("a cheetah", "fast", "slow"),
    ("silk", "smooth", "rough"),
    ("sandpaper", "rough", "smooth"),
    ("steel", "hard", "soft"),
    ("butter", "soft", "hard"),
    ("vinegar", "sour", "sweet"),
    ("honey", "sweet", "sour"),
    ("grass", "green", "blue"),
    ("a mouse", "small", "large"),
    ("a whale", "large", "small"),
    ("the desert", "dry", "wet"),
    ("rain", "wet", "dry"),
    ("a new needle", "sharp", "blunt"),
)
"""Subject, what it is, what it is not."""

INDIVIDUALS = (
    ("Mars", "planet"),
    ("Saturn", "planet"),
    ("Paris", "city"),
    ("Cairo", "city"),
    ("Tokyo", "city"),
    ("the Nile", "river"),
    ("the Danube", "river"),
    ("Everest", "mountain"),
    ("Kilimanjaro", "mountain"),
    ("Africa", "continent"),
    ("Europe", "continent"),
    ("French", "language"),
    ("Welsh", "language"),
    ("Mozart", "composer"),
    ("Bach", "composer"),
    ("oxygen", "gas"),
    ("helium", "gas"),
    ("copper", "metal"),
    ("tin", "metal"),
)
"""Individuals and the one kind here that they are of."""


class Pair(NamedTuple):
    """Two kinds of things and how the first lies to the second."""

    subject: str
    predicate: str
    relation: str  # subset, superset, disjoint or overlap


TELLING = {
    ("all", True): ("subset",),
    ("all", False): ("superset", "disjoint", "overlap"),
    ("no", True): ("disjoint",),
    ("no", False): ("subset", "superset", "overlap"),
    ("some", True): ("superset", "overlap"),
    ("some", False): ("disjoint",),
    ("some-not", True): ("superset", "overlap"),
    ("some-not", False): ("subset",),
}
"""(quantifier, truth) -> relations to draw. True statements that say less than is known ("some
daisies are flowers") are left out: whether they are believed is a matter of taste."""


def draw_pair(rng: np.random.Generator, relation: str) -> Pair:
    """Two kinds of things that lie to each other in this way."""
    if relation == "overlap":
        one, other = pick(rng, OVERLAPPING)
        return Pair(*((one, other) if rng.random() < 0.5 else (other, one)), relation)
    realms = list(KINDS_OF_THINGS)
    realm = pick(rng, realms)
    kind = pick(rng, list(KINDS_OF_THINGS[realm]))
    member = pick(rng, KINDS_OF_THINGS[realm][kind])
    if relation == "subset":
        return Pair(member, kind, relation)
    if relation == "superset":
        return Pair(kind, member, relation)
    elsewhere = KINDS_OF_THINGS[pick(rng, [r for r in realms if r != realm])]
    other_kind = pick(rng, list(elsewhere))
    other = pick(rng, (other_kind, *elsewhere[other_kind]))
    return Pair(pick(rng, (kind, member)), other, relation)


def draw_nonsense(rng: np.random.Generator, n: int) -> list[str]:
    """Different pseudo-words, singular."""
    return [NONSENSE[int(i)] for i in rng.permutation(len(NONSENSE))[:n]]
