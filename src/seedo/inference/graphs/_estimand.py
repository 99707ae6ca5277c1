"""Formulas in terms of what data can show: how they are written, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Regime = tuple[str, frozenset[str]]
"""(population, "" for the target; variables set by experiment)."""


@dataclass(frozen=True)
class Term:
    """P(of | given) in one population under one experiment."""

    of: frozenset[str]
    given: frozenset[str] = frozenset()
    do: frozenset[str] = frozenset()
    population: str = ""


@dataclass(frozen=True)
class Sum:
    """Sum over all values of some variables."""

    over: frozenset[str]
    body: Estimand


@dataclass(frozen=True)
class Product:
    factors: tuple[Estimand, ...]


@dataclass(frozen=True)
class Ratio:
    top: Estimand
    bottom: Estimand


Estimand = Term | Sum | Product | Ratio


def total(over: frozenset[str], body: Estimand) -> Estimand:
    """Sum of `body`, as a marginal where it is one."""
    if not over:
        return body
    if isinstance(body, Term) and over < body.of:
        return Term(body.of - over, body.given, body.do, body.population)
    return Sum(over, body)


def product(factors: Sequence[Estimand]) -> Estimand:
    """Product, flat; that of no factors is 1."""
    flat = tuple(chain.from_iterable(f.factors if isinstance(f, Product) else [f] for f in factors))
    return flat[0] if len(flat) == 1 else Product(flat)


def ratio(top: Estimand, bottom: Estimand) -> Estimand:
    """Quotient, as a conditional probability where it is one."""
    if isinstance(top, Term) and isinstance(bottom, Term):
        same = (top.given, top.do, top.population) == (bottom.given, bottom.do, bottom.population)
        if same and bottom.of < top.of:
            return Term(top.of - bottom.of, top.given | bottom.of, top.do, top.population)
    return Ratio(top, bottom)


def regimes(estimand: Estimand) -> frozenset[Regime]:
    """The distributions a formula is made of."""
    match estimand:
        case Term():
            return frozenset([(estimand.population, estimand.do)])
        case Sum():
            return regimes(estimand.body)
        case Product():
            return frozenset().union(*map(regimes, estimand.factors))
        case Ratio():
            return regimes(estimand.top) | regimes(estimand.bottom)


def evaluate(
    estimand: Estimand, variables: Sequence[str], tables: Mapping[Regime, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """A formula's value for every value of its free variables, all variables being discrete.

    Args:
        estimand: the formula.
        variables: n names, in the order of the tables' axes.
        tables: for each regime float64 with n axes: along the axes of the variables set by
            experiment, one joint distribution of the others for each setting.

    Returns:
        float64 with n axes; those on which nothing depends have length 1.
    """
    axis = {name: i for i, name in enumerate(variables)}

    def summed(table: NDArray[np.float64], over: frozenset[str]) -> NDArray[np.float64]:
        return table.sum(axis=tuple(sorted(axis[name] for name in over)), keepdims=True)

    def value(node: Estimand) -> NDArray[np.float64]:
        match node:
            case Term():
                table = tables[node.population, node.do]
                joint = summed(table, frozenset(variables) - node.of - node.given - node.do)
                return joint / summed(joint, node.of) if node.given else joint
            case Sum():
                levels = next(iter(tables.values())).shape
                body = value(node.body)
                absent = [axis[name] for name in node.over if body.shape[axis[name]] == 1]
                return summed(body, node.over) * np.prod([levels[i] for i in absent])
            case Product():
                result = np.ones((1,) * len(variables))
                for factor in node.factors:
                    result = result * value(factor)
                return result
            case Ratio():
                return value(node.top) / value(node.bottom)

    return value(estimand)


def to_text(estimand: Estimand, free: frozenset[str], order: Sequence[str]) -> str:
    """The formula on one line, e.g. ``Σ_M P(M | X) Σ_X′ P(X′) P(Y | M, X′)``.

    Args:
        estimand: the formula.
        free: the variables that the query is about; sums over another value of them are primed.
        order: the order in which to name variables.
    """
    return _Writer(order, latex=False).write(estimand, dict.fromkeys(free, ""))


def to_latex(estimand: Estimand, free: frozenset[str], order: Sequence[str]) -> str:
    """The formula in LaTeX's mathematics mode; arguments as for `to_text`."""
    return _Writer(order, latex=True).write(estimand, dict.fromkeys(free, ""))


class _Writer:
    def __init__(self, order: Sequence[str], latex: bool) -> None:
        self.place = {name: i for i, name in enumerate(order)}
        self.latex = latex

    def write(self, node: Estimand, primes: dict[str, str], nested: bool = False) -> str:
        """`primes`: the variables in scope, each with the primes it bears there."""
        match node:
            case Term():
                return self.term(node, primes)
            case Sum():
                inner = primes | {v: primes[v] + "′" if v in primes else "" for v in node.over}
                names = self.names(node.over, inner)
                sign = rf"\sum_{{{names}}} " if self.latex else f"Σ_{{{names}}} "
                if not self.latex and len(node.over) == 1:
                    sign = f"Σ_{names} "
                text = sign + self.write(node.body, inner)
                return f"[{text}]" if nested else text
            case Product():
                plain = [f for f in node.factors if not isinstance(f, Sum)]
                sums = [f for f in node.factors if isinstance(f, Sum)]
                texts = sorted(self.write(f, primes) for f in plain)
                texts += sorted(self.write(f, primes, nested=len(sums) > 1) for f in sums)
                return " ".join(texts) or "1"
            case Ratio():
                top, bottom = self.write(node.top, primes), self.write(node.bottom, primes)
                return rf"\frac{{{top}}}{{{bottom}}}" if self.latex else f"[{top}] / [{bottom}]"

    def term(self, term: Term, primes: dict[str, str]) -> str:
        given = [self.names(term.given, primes)] if term.given else []
        if term.do:
            names = self.names(term.do, primes)
            given.append(rf"\mathrm{{do}}({names})" if self.latex else f"do({names})")
        bar = r" \mid " if self.latex else " | "
        inside = self.names(term.of, primes) + (bar + ", ".join(given) if given else "")
        name = ""
        if term.population:
            name = f"^{{{self.name(term.population)}}}" if self.latex else f"[{term.population}]"
        return f"P{name}({inside})"

    def names(self, names: frozenset[str], primes: dict[str, str]) -> str:
        ordered = sorted(names, key=self.place.__getitem__)
        return ", ".join(self.name(v) + self.mark(primes.get(v, "")) for v in ordered)

    def name(self, name: str) -> str:
        if not self.latex or len(name) == 1:
            return name
        escaped = "".join("\\" + c if c in "_&%$#{}" else c for c in name)
        return rf"\mathrm{{{escaped}}}"

    def mark(self, primes: str) -> str:
        return "'" * len(primes) if self.latex else primes
