"""A picture's file to a `.lat` file."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from latentcodec.errors import LatError
from latentcodec.files.convert import converted
from latentcodec.files.endpoints import (
    Target,
    check_target,
    preserve,
    read_image,
    reads_back,
    write_target,
)
from latentcodec.files.options import EncodeFileOptions
from latentcodec.files.result import FileResult
from latentcodec.format.source import Source
from latentcodec.images.picture import source_of
from latentcodec.pipeline import encoder, rate_control
from latentcodec.pipeline.refinement import Progress, silent
from latentcodec.runtime import model_store

if TYPE_CHECKING:
    from PIL.Image import Image

_DEFAULT = EncodeFileOptions()


def encode_file(
    source: Source,
    target: Target,
    options: EncodeFileOptions = _DEFAULT,
    *,
    read: Callable[[Source, bool], tuple[Image, int]] = read_image,
    progress: Progress = silent,
) -> FileResult:
    """Encode an image file as a `.lat` file, which is written whole or not at all.

    Args:
        source: a path, a URL, the bytes of a file, or a file open for reading.
        target: a path, a URL, or a file open for writing.
        options: how.
        read: gives the picture of the source and the source's size in bytes, from `strict`; for
            who reads ahead.
        progress: told the part that is done, 0 to 1, while latents are refined (effort 3 to 9);
            each file that a search looks at begins anew.

    Returns:
        Sizes and times, and the error where bad input, the machine or its memory ended it: none
        of those is raised.

    Raises:
        ModuleNotFoundError: what runs the networks is not installed.
    """
    work = functools.partial(_encode, source, target, options, read, progress)
    return converted(source, target, work)


def _encode(
    source: Source,
    target: Target,
    options: EncodeFileOptions,
    read: Callable[[Source, bool], tuple[Image, int]],
    progress: Progress,
    result: FileResult,
) -> FileResult:
    check_target(target, options)
    image, input_bytes = read(source, options.strict)
    picture = source_of(image, options.strict, options.strip, options.resize)
    load = functools.partial(model_store.load_codec, runtime=options.runtime)
    model = model_store.chosen(options.model, options.tune)
    found = rate_control.encode(picture, options, model=model, load=load, progress=progress)
    written = write_target(target, found.data, options)
    if options.verify and not reads_back(target, found.data):
        raise LatError(f"{result.target} does not read back as it was written")
    if options.preserve:
        preserve(source, target)
    return dataclasses.replace(
        result,
        width_px=picture.width,
        height_px=picture.height,
        input_bytes=input_bytes,
        output_bytes=written.size,
        lat_pixels=picture.width * picture.height,
        lat_bytes=written.size,
        quality=found.quality,
        psnr_db=encoder.psnr_db(picture, found.data, load) if options.psnr else None,
        is_verified=options.verify,
        sha256=written.sha256,
    )
