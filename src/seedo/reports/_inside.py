"""What was found inside a network: tables and a figure."""

from __future__ import annotations

from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from rich.table import Table

from seedo.abstraction import ALGORITHMS, CAUSAL, PROBES, Inside, Interchange
from seedo.reports._drawing import BLUE, GREY, INK, ORANGE, STYLE, bars, curve, panels
from seedo.reports._estimates import NONE, frame, text


def probe_table(found: Inside) -> Table:
    """One row a target, a kind of probe and a step."""
    made = frame(
        "Read off the state on systems that the probe has not seen: AUC (edges, next choice) or "
        "R² (effects, entropy) within places, 95 % intervals over episodes. Untrained: off a "
        "network that has learnt nothing; control: of other episodes' targets; posterior: what "
        "the experiments say.",
        ["what", "probe"],
        ["layer", "after step", "found", "untrained", "control", "posterior"],
    )
    last = ""
    for probe in found.probes:
        if probe.target != last:
            made.add_section()
        last = probe.target
        known = NONE if probe.known is None else text(probe.known)
        made.add_row(
            probe.target, probe.kind, str(probe.layer), str(probe.step),
            text(probe.found), text(probe.untrained), text(probe.control), known,
        )  # fmt: skip
    return made


def interchange_table(found: Inside) -> Table:
    """One row an algorithm, at the layer that shows the causal one most, and one a control."""
    at = _chosen(found)
    made = frame(
        f"With the parts of some levers taken from another episode (state {at.layer}): how often "
        "the network does what each algorithm does with their scores taken from there, of the "
        "replacements that change what the causal algorithm does, and of those that change its "
        "own."
        + ("" if found.exact else " There is no exact posterior: causal goes by the truth.")
        + (
            ""
            if found.axes
            else " The state is one vector: its parts are subspaces that were learnt in "
            "other episodes, each algorithm's own; that none are found does not say that there "
            "are none."
        ),
        ["algorithm"],
        ["followed unreplaced", "followed, same replacements", "followed, its own"],
    )
    for name in ALGORITHMS:
        one = at.algorithms[name]
        made.add_row(name, text(one.followed), text(one.same), text(one.own))
    made.add_section()
    twin = found.untrained.algorithms[CAUSAL]
    made.add_row(f"{CAUSAL}, untrained", text(twin.followed), text(twin.same), text(twin.own))
    made.add_row(f"{CAUSAL}, another episode's part", NONE, text(at.elsewhere), NONE)
    made.add_row("as before the replacement", NONE, text(at.ignored), NONE)
    outputs = found.interchange[-1].algorithms[CAUSAL]
    made.add_row(f"{CAUSAL}, parts of the last state", NONE, text(outputs.same), text(outputs.own))
    made.add_row(f"{CAUSAL}, neither episode shows the action", NONE, text(at.new), NONE)
    made.add_row(f"{CAUSAL}, share of what can be asked for", NONE, text(at.fair), NONE)
    if found.dealt is not None:
        dealt = found.dealt.algorithms[CAUSAL]
        made.add_row(
            f"{CAUSAL}, scores dealt at random",
            text(dealt.followed),
            text(dealt.same),
            text(dealt.own),
        )
    made.add_row("chance", NONE, f"{at.chance:.3f}", NONE)
    return made


def _chosen(found: Inside) -> Interchange:
    return next(one for one in found.interchange if one.layer == found.layer)


def inside_figure(found: Inside) -> Figure:
    """Edges after every step, and interchange by layer."""
    with rc_context(STYLE):
        figure, axes = panels(1, 2, 8.0, 3.2)
        _draw_edges(axes[0, 0], found)
        _draw_interchange(axes[0, 1], found)
    return figure


def _draw_edges(ax: Any, found: Inside) -> None:
    own = [p for p in found.probes if (p.target, p.kind) == ("edges", PROBES[0])]
    own = sorted((p for p in own if p.layer == found.probe_layer), key=lambda p: p.step)
    steps = [p.step for p in own]
    lines = {"posterior": INK, "found": BLUE, "untrained": ORANGE, "control": GREY}
    if not found.exact:
        del lines["posterior"]
    for name, colour in lines.items():
        estimates = [getattr(p, "known" if name == "posterior" else name) for p in own]
        curve(ax, steps, [e.to_json() for e in estimates], color=colour, label=name)
    ax.set_xticks(steps)
    ax.set_xlabel("experiments seen")
    ax.set_ylabel("AUC of edges")
    ax.set_title("What a linear probe reads")
    ax.legend(loc="upper left")


def _draw_interchange(ax: Any, found: Inside) -> None:
    groups = {
        f"layer {one.layer}": {
            name: one.algorithms[name].same.to_json() for name in (CAUSAL, "largest-effect")
        }
        | {"another part": one.elsewhere.to_json()}
        for one in found.interchange
    }
    bars(ax, groups, [CAUSAL, "largest-effect", "another part"])
    ax.axhline(found.interchange[0].chance, color=INK, linewidth=0.8, linestyle=":")
    ax.set_ylim(0, 1)
    ax.set_ylabel("does as the algorithm would")
    ax.set_title("With parts taken from another episode")
    ax.legend(loc="upper left")
