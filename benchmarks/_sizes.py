"""Sizes so small that a benchmark shows in seconds that all of it runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any


def sized(parser: ArgumentParser, **quick: Any) -> Namespace:
    """The options given, in which `--quick` puts these defaults in place of the parser's."""
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, to see that it runs; figures say nothing"
    )
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**quick)
    return parser.parse_args()
