"""The command line: one module per command, imported when it is called."""

from __future__ import annotations

import importlib
import io
import sys
import warnings

import click

from latentcodec import __version__
from latentcodec.cli.shown import one_line
from latentcodec.errors import LossWarning
from latentcodec.files.errors import HANDLED, describe_error, out_of_memory

_COMMANDS = (
    "encode",
    "decode",
    "info",
    "view",
    "thumbnail",
    "sample",
    "interpolate",
    "train",
    "export",
    "onnx",
    "web",
    "bench",
    "compare",
    "completion",
    "man",
    "desktop",
)
_INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


class _Commands(click.Group):
    """Loads a command's module when it is used, and turns errors into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return importlib.import_module(f"latentcodec.cli.{cmd_name}").command

    def invoke(self, ctx: click.Context) -> object:
        for stream in (sys.stdout, sys.stderr):  # names that they cannot spell are escaped
            if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
                stream.reconfigure(errors="backslashreplace")
        try:
            with out_of_memory(), warnings.catch_warnings():
                warnings.simplefilter("always", LossWarning)
                warnings.showwarning = lambda message, *_: click.echo(
                    one_line(f"Warning: {message}"), err=True
                )
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted", err=True)
            raise click.exceptions.Exit(_INTERRUPTED) from None
        except BrokenPipeError:  # of `latentcodec info x.lat | head`; click ends quietly
            raise
        except HANDLED as error:
            raise click.ClickException(one_line(describe_error(error))) from error
        except click.ClickException as error:
            raise _in_one_line(error) from error.__cause__
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise click.ClickException("this needs torch: pip install torch") from error


def _in_one_line(error: click.ClickException) -> click.ClickException:
    """An error whose message obeys `one_line`: it may have names in it."""
    if one_line(error.message) == error.message:  # the others' own lines stay as click has them
        return error
    if isinstance(error, click.UsageError):
        return click.UsageError(one_line(error.format_message()), error.ctx)
    return click.ClickException(one_line(error.message))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """A learned image codec for photographs: .lat files.

    Exit codes: 0 done, 1 bad input or an error while reading or writing, 2 wrong usage,
    3 written, but from a damaged file (decode --salvage), 130 interrupted.
    """
