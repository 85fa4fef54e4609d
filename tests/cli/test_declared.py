"""Options of commands that a dataclass declares."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner

from latentcodec.cli.declared import declared
from latentcodec.options import Flag


@dataclasses.dataclass(kw_only=True)
class Chosen:
    """One field of each kind, and one that is no option."""

    out: Annotated[Path, Flag("Needed.")]
    share: Annotated[float | None, Flag("Above nothing.", above=0, most=1)] = None
    count: Annotated[int, Flag("Some.", short="-c", long="--some", least=1)] = 3
    kind: Annotated[Literal["a", "b"], Flag("Of two.")] = "a"
    folders: Annotated[tuple[Path, ...], Flag("Several.", long="--folder")] = ()
    size_px: Annotated[
        tuple[int, ...], Flag("Sides.", parse=lambda text: tuple(map(int, text.split("x"))))
    ] = (1, 1)
    fast: Annotated[bool, Flag("Or not.")] = False
    inner: int = 7


def said(*words: str) -> Chosen | str:
    """What the words of a command line choose, or its last line of standard error."""
    made: list[Chosen] = []

    @click.command()
    @declared(Chosen)
    def command(**values: Any) -> None:
        made.append(Chosen(**values))

    result = CliRunner().invoke(command, [*words, "--out", "here"])
    assert result.exit_code == (0 if made else 2), result.output
    return made[0] if made else result.stderr.splitlines()[-1]


def test_what_is_not_said_is_as_declared() -> None:
    assert said() == Chosen(out=Path("here"))


def test_what_is_said_has_the_type_of_the_field() -> None:
    words = "--share 0.5 -c 4 --kind b --folder x --folder y --size-px 2x5 --fast"
    assert said(*words.split()) == Chosen(
        out=Path("here"),
        share=0.5,
        count=4,
        kind="b",
        folders=(Path("x"), Path("y")),
        size_px=(2, 5),
        fast=True,
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--share 0", "0<x<=1"),
        ("--share nan", "finite"),
        ("--some 0", "x>=1"),
        ("--some 1.5", "integer"),
        ("--kind c", "'a', 'b'"),
        ("--size-px one", "invalid literal"),
        ("--inner 3", "No such option"),
    ],
)
def test_wrong_words_are_wrong_usage(words: str, reason: str) -> None:
    assert reason in str(said(*words.split()))


def test_a_field_without_a_default_is_needed() -> None:
    command = click.command()(declared(Chosen)(lambda **values: None))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 2 and "'--out'" in result.stderr
