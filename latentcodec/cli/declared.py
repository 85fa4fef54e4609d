"""Options of commands that dataclasses declare: each field that is annotated with a `Flag`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import click

from latentcodec.options import Flag

_Command = TypeVar("_Command", bound=Callable[..., Any])


def declared(options: type) -> Callable[[_Command], _Command]:
    """Give a command all options that a class declares; they come by the fields' names."""

    def add(command: _Command) -> _Command:
        for name, hint in reversed(_hints(options).items()):
            if hasattr(hint, "__metadata__"):
                command = declared_one(options, name)(command)
        return command

    return add


def declared_one(options: type, name: str) -> Callable[[_Command], _Command]:
    """One option that a class declares."""
    hint = _hints(options)[name]
    (flag,), kind = hint.__metadata__, hint.__origin__
    (default,) = (one.default for one in dataclasses.fields(options) if one.name == name)
    short = [flag.short] if flag.short else []
    return click.option(
        *short,
        flag.long or f"--{name.replace('_', '-')}",
        name,
        help=flag.help,
        metavar=flag.metavar,
        **(_parsed(flag, default) if flag.parse else _typed(kind, flag, default)),
    )


def _hints(options: type) -> dict[str, Any]:
    return get_type_hints(options, include_extras=True)


def _parsed(flag: Flag, default: object) -> dict[str, Any]:
    """What click is told of an option whose text is made a value."""

    def value_of(ctx: click.Context, param: click.Parameter, text: str | None) -> object:
        assert flag.parse is not None
        try:
            return default if text is None else flag.parse(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return {"type": click.Choice(flag.choices) if flag.choices else str, "callback": value_of}


def _typed(kind: Any, flag: Flag, default: object) -> dict[str, Any]:
    """What click is told of an option by its type; `X | None` is given as an X."""
    if kind is bool:
        return {"is_flag": True}
    told: dict[str, Any] = {"multiple": get_origin(kind) in (Sequence, tuple)}
    if NoneType in get_args(kind) or told["multiple"]:
        kind = get_args(kind)[0]
    if default is dataclasses.MISSING:
        told["required"] = True
    elif default not in (None, ()):
        told |= {"default": default, "show_default": True}
    return told | {"type": _type_of(kind, flag)}


def _type_of(kind: Any, flag: Flag) -> Any:
    if flag.choices or get_origin(kind) is Literal:
        return click.Choice(flag.choices or get_args(kind))
    if kind in (int, float) and flag.has_range:
        least, is_open = (flag.least, False) if flag.above is None else (flag.above, True)
        ranges: dict[Any, Any] = {int: click.IntRange, float: Number}
        return ranges[kind](least, flag.most, min_open=is_open)
    return click.Path(path_type=Path) if kind is Path else kind


class Number(click.FloatRange):
    """A number that is one: no range excludes nan, nor one without an upper end infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number
