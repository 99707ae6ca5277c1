"""What is said to a user whose input cannot be used."""

from __future__ import annotations


class UserError(ValueError):
    """Bad input, in the user's words.

    Args:
        field: what was given (an option, a column, a file).
        value: the value that cannot be used.
        remedy: what is accepted, or what to do.

    `str()` is one line: ``field: got value; remedy``. The command line prints it and exits with 2.
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field, self.value, self.remedy = field, value, remedy
        text = f"{field}: got {value!r}; {remedy}" if value is not None else f"{field}: {remedy}"
        super().__init__(" ".join(text.split()))


class DamagedShard(UserError):
    """A log shard that is truncated, altered or not an episode log."""
