"""Options and checks that several commands share."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import click
from click.core import ParameterSource

from latentcodec import defaults
from latentcodec.cli.declared import declared_one
from latentcodec.options import EncodeOptions
from latentcodec.runtime.choice import RUNTIMES, Runtime
from latentcodec.runtime.model_store import TUNES
from latentcodec.storage.names import suffix_of

Engine = Literal["local", "ray"]
_Command = TypeVar("_Command", bound=Callable[..., Any])


quality = declared_one(EncodeOptions, "quality")


def _used(ctx: click.Context, param: click.Parameter, value: Path | None) -> str | None:
    """The model that a weights file is, from now on in this process."""
    if value is None:
        return None
    from latentcodec.runtime.model_store import register_weights

    # The callback of --runtime, which is eager, comes before this one.
    return register_weights(value, runtime=ctx.params.get("runtime"))


weights = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    callback=_used,
    help="Instead of a packaged model: a file that `latentcodec export` wrote.",
)


_ENCODING = (
    click.option(
        "--tune",
        type=click.Choice(TUNES),
        help=f"What the model is tuned for: ssim, for the eye, or psnr [default: {defaults.TUNE}].",
    ),
    click.option("--model", help="Instead of a tune: a packaged model, by name."),
)


def encoding(command: _Command) -> _Command:
    """Give a command the options --tune and --model."""
    for option in reversed(_ENCODING):
        command = option(command)
    return command


def check_one_of(**given: str | None) -> None:
    """Raise UsageError where more than one of these options is given."""
    if sum(value is not None for value in given.values()) > 1:
        *names, last = (f"--{name}" for name in given)
        raise click.UsageError(f"give one of {', '.join(names)} and {last}")


def chosen_model(model: str, weights: str | None) -> str:
    """What --model or --weights names. Raises UsageError where both are given."""
    if weights is None:
        return model
    source = click.get_current_context().get_parameter_source("model")
    if source is ParameterSource.COMMANDLINE:
        raise click.UsageError("give one of --model and --weights")
    return weights


def parse_size(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """`256x192` as width and height in px."""
    if value is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value)
    if not match:
        raise click.BadParameter(f"{value!r} is not a size such as 256x256")
    return int(match[1]), int(match[2])


def written_format(name: str) -> str:
    """Pillow's name of the format of a file, by its extension."""
    from latentcodec.images.files import writable_format
    from latentcodec.images.plugins import not_written

    suffix = suffix_of(name)
    form = writable_format(suffix)
    if form is None:
        raise click.BadParameter(f"{name}: {not_written(suffix)}")
    return form


@dataclasses.dataclass(frozen=True)
class BatchOptions:
    """What encode and decode have in common, as `batch` declares it."""

    output: str | None = None
    recursive: bool = False
    jobs: int | None = None
    skip_existing: bool = False
    dry_run: bool = False
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    runtime: Runtime | None = None
    manifest: Path | None = None
    engine: Engine = "local"
    address: str | None = None
    workers: int | None = None
    threads: int = 1

    @classmethod
    def taken_from(cls, values: dict[str, Any]) -> BatchOptions:
        """Those of a command's parameters, which are removed there. Raises UsageError."""
        options = cls(**{field.name: values.pop(field.name) for field in dataclasses.fields(cls)})
        if options.as_json + options.quiet + options.verbose > 1:
            raise click.UsageError("give one of --json, --quiet and --verbose")
        others = ("jobs",) if options.engine == "ray" else ("address", "workers", "threads")
        context = click.get_current_context()
        for name in others:
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name} has no meaning with --engine {options.engine}")
        return options


def _manifest_name(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in (".jsonl", ".parquet"):
        raise click.BadParameter(f"{value} ends neither in .jsonl nor in .parquet")
    return value


_BATCH = (
    click.option(
        "-o",
        "--output",
        type=click.Path(),
        help="File or folder to write, made if missing; all arguments are inputs then.",
    ),
    click.option("-r", "--recursive", is_flag=True, help="Convert what is in folders, mirrored."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        help="Files at a time [default: as many as cores, 8 at most].",
    ),
    click.option(
        "--runtime",
        type=click.Choice(RUNTIMES),
        is_eager=True,
        help="What runs the networks: torch, or onnx, which is ONNX Runtime [default: the first of "
        "the two that is installed, or LATENTCODEC_RUNTIME].",
    ),
    click.option(
        "--manifest",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_manifest_name,
        metavar="FILE",
        help="Write a row a file to a table, .jsonl or .parquet. What it says is done already is "
        "left as it is.",
    ),
    click.option(
        "--engine",
        type=click.Choice(get_args(Engine)),
        default="local",
        show_default=True,
        help="What does several files at a time: jobs of this process, or workers on Ray.",
    ),
    click.option(
        "--address",
        envvar="RAY_ADDRESS",
        help="Of --engine ray: the cluster, as for ray.init; auto is one that runs here "
        "[default: RAY_ADDRESS, or one that is started and stopped].",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Of --engine ray: processes [default: as many as it has CPUs for].",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Of --engine ray: processor threads of each worker.",
    ),
    click.option("--skip-existing", is_flag=True, help="Leave outputs that exist as they are."),
    click.option("--dry-run", is_flag=True, help="Only say what would be written."),
    click.option("--json", "as_json", is_flag=True, help="Print a JSON object a file, and totals."),
    click.option("-Q", "--quiet", is_flag=True, help="Print errors only."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Print a line a file, with its time, in any case."
    ),
)


def batch(command: _Command) -> _Command:
    """Give a command the options of `BatchOptions`."""
    for option in reversed(_BATCH):
        command = option(command)
    return command
