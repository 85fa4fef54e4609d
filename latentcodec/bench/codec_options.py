"""What follows the colon of a codec's name: values of its options, in any order, between colons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentcodec.errors import LatError


@dataclass(frozen=True)
class Option:
    """An option of a codec: its name, its values, and the one taken where none is given."""

    name: str
    values: Sequence[str]
    default: str

    def __str__(self) -> str:
        """The option for a person, such as `a speed (0 to 10)`."""
        if len(self.values) > 4:
            return f"a {self.name} ({self.values[0]} to {self.values[-1]})"
        return f"a {self.name} ({', '.join(self.values)})"


def whole_numbers(name: str, default: int, least: int, most: int) -> Option:
    """An option that is a number, such as a speed."""
    return Option(name, [str(value) for value in range(least, most + 1)], str(default))


def read_options(codec: str, text: str, options: Sequence[Option]) -> dict[str, str]:
    """The value of each option by its name, from the text after the codec's name.

    No two options of a codec have a value in common, so that `psnr:444:2` says which is which.

    Raises:
        LatError: A value belongs to no option, or two to the same one.
    """
    chosen: dict[str, str] = {}
    for value in text.split(":") if text else ():
        named = next((option.name for option in options if value in option.values), None)
        if named is None or named in chosen:
            takes = ", ".join(str(option) for option in options) or "no options"
            raise LatError(f"{codec} takes {takes}, each once, so {codec}:{text} means nothing")
        chosen[named] = value
    return {option.name: chosen.get(option.name, option.default) for option in options}
