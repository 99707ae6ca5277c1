"""Arithmetic that a player may have done for it: a whitelist over Python's syntax tree."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

from seedo.language.scenes.replies import Malformed

_LONGEST_EXPRESSION = 200
_LARGEST = 1e15  # of anything computed
_LARGEST_EXPONENT = 100.0
_WORDS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "exp": math.exp,
    "log": math.log,
    "max": max,
    "min": min,
    "sqrt": math.sqrt,
}
# Possessive (`*+`): a long run of digits can be cut into numbers in exponentially many ways.
_TOKENS = re.compile(
    rf"(?:\d{{1,15}}(?:\.\d{{0,15}})?(?:e[+-]?\d{{1,2}})?|\b(?:{'|'.join(_WORDS)})\b|[-+*/(), ])*+",
    re.ASCII,
)
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def calculate(expression: str) -> str | Malformed:
    """The value of an arithmetic expression to 6 significant digits."""
    wrong = Malformed("not-an-action", "Give arithmetic such as (1.2 - 0.3) / 2.")
    if len(expression) > _LONGEST_EXPRESSION or not _TOKENS.fullmatch(expression):
        return wrong
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError):
        return wrong
    except (ArithmeticError, ValueError):
        return Malformed("unknown-value", "This has no finite value, or one beyond 1e15.")
    return f"{value:.6g}"


def _value(node: ast.AST) -> float:
    """Raises SyntaxError for whatever is no arithmetic, ArithmeticError for what is too large."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = float(node.value)
    elif isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        value = _OPERATORS[type(node.op)](_value(node.operand))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        value = _power(_value(node.left), _value(node.right))
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        value = _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        value = float(_WORDS[node.func.id](*(_value(a) for a in node.args)))
    else:
        raise SyntaxError("not arithmetic")
    if not abs(value) <= _LARGEST:
        raise ArithmeticError("too large")
    return value


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise ArithmeticError("too large")
    return math.pow(base, exponent)
