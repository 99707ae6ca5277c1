"""What a graph file says, before it is held against the columns of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from seedo.errors import UserError
from seedo.tables import shortened

FORMAT = "write 'A -> B', 'A <-> B' (a hidden common cause) or 'A'"
LATENT = frozenset({"latent", "unobserved", "hidden", "u"})
"""Words that mark a node as not measured (`u` is dagitty's)."""
_NO = frozenset({"no", "false", "0", "f", "n"})
_YES = frozenset({"yes", "true", "1", "t", "y", ""})
_REMEDY = 320
"""Characters of a remedy that a message shows."""
MAX_EDGES = 100_000
"""Of a graph, as drawn."""


class Place(NamedTuple):
    """Where in a file something stands, for messages."""

    where: str
    text: str | None = None

    def refuse(self, remedy: str) -> UserError:
        return UserError(self.where, self.text and shortened(self.text), shortened(remedy, _REMEDY))


class DrawnEdge(NamedTuple):
    """One edge as drawn: ``left -> right`` or ``left <-> right``."""

    left: str
    arrow: Literal["->", "<->"]
    right: str
    place: Place


@dataclass
class Drawing:
    """Nodes and edges as drawn.

    Attributes:
        source: what the file is called in messages.
        nodes: every name that is mentioned, in that order, and where first.
        edges: in the order of the file.
        latent: nodes that the file marks as not measured.
        labels: other names of nodes, for files that number them.
        notes: how the file was read, where it could be read otherwise.
    """

    source: str
    nodes: dict[str, Place] = field(default_factory=dict)
    edges: list[DrawnEdge] = field(default_factory=list)
    latent: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def place(self, line: int, text: str) -> Place:
        return Place(f"{self.source}, line {line}", text.strip())

    def node(self, name: str, place: Place) -> None:
        """Mention a node.

        Raises:
            UserError: the name is empty.
        """
        if not name.strip():
            raise place.refuse(FORMAT)
        if not name.isprintable():
            raise Place(place.where, ascii(name)[1:-1]).refuse(
                "a name holds a control character: write it without"
            )
        self.nodes.setdefault(name, place)

    def edge(self, left: str, arrow: str, right: str, place: Place) -> None:
        """Draw an edge ``->``, ``<-`` or ``<->``.

        Raises:
            UserError: it leads from a node to itself, or has no direction.
        """
        if arrow not in ("->", "<-", "<->"):
            raise place.refuse(
                f"{arrow} is no direction: write -> for a cause, <-> for a hidden common cause"
            )
        self.node(left, place)
        self.node(right, place)
        if left == right:
            raise place.refuse("a variable cannot be its own cause; remove the edge")
        if len(self.edges) >= MAX_EDGES:
            raise place.refuse(f"more than {MAX_EDGES:,} edges: give each once")
        if arrow == "<-":
            left, right = right, left
        self.edges.append(DrawnEdge(left, "<->" if arrow == "<->" else "->", right, place))

    def attribute(self, name: str, key: str, value: str) -> None:
        """What the file says of a node: only whether it was measured counts."""
        key, value = key.strip().casefold(), value.strip().strip("\"'").casefold()
        unmeasured = (key in LATENT and value in _YES) or (key == "observed" and value in _NO)
        if unmeasured:
            self.latent.add(name)
