"""A `.lat` file to a picture's file."""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import TYPE_CHECKING

from latentcodec.errors import LatError, UnsupportedImage, warn_of_loss
from latentcodec.files.convert import converted
from latentcodec.files.endpoints import Target, check_target, name_of, preserve, write_target
from latentcodec.files.options import DecodeFileOptions
from latentcodec.files.result import FileResult
from latentcodec.format.source import Bytes, Source, opened
from latentcodec.images.canvas import ImageCanvas
from latentcodec.images.files import writable_format, write_image
from latentcodec.images.formats import made_ready
from latentcodec.images.metadata import strip_image
from latentcodec.images.plugins import not_written
from latentcodec.pipeline import decoder
from latentcodec.runtime.model_store import load_codec
from latentcodec.storage.names import suffix_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentcodec.pipeline.decoder import Decoded

_DEFAULT = DecodeFileOptions()


def decode_file(
    source: Source, target: Target, options: DecodeFileOptions = _DEFAULT
) -> FileResult:
    """Decode a `.lat` file to an image file, which is written whole or not at all.

    Args:
        source: a path, a URL, the bytes of a file, or a file open for reading, of which no more is
            read than the region needs.
        target: a path, a URL, or a file open for writing.
        options: how.

    Returns:
        As `encode_file`. What salvage could not save is among the warnings.

    Raises:
        ModuleNotFoundError: what runs the networks is not installed.
    """
    return converted(source, target, functools.partial(_decode, source, target, options))


def format_of(target: Target, options: DecodeFileOptions) -> str:
    """Pillow's name of the format to write. Raises UnsupportedImage where Pillow writes none."""
    named = isinstance(target, (str, os.PathLike)) and not options.format
    name = name_of(target) if named else f"picture.{options.format or 'png'}"
    form = writable_format(suffix_of(name))
    if form is None:
        raise UnsupportedImage(f"{name}: {not_written(suffix_of(name))}")
    return form


def _decode(
    source: Source, target: Target, options: DecodeFileOptions, result: FileResult
) -> FileResult:
    form = format_of(target, options)
    check_target(target, options)
    with opened(source, in_part=options.region is not None) as data:
        decoded, lat_bytes = decode_image(data, options), len(data)
    image, header = decoded.picture, decoded.header
    strip_image(image, options.strip)
    image = made_ready(image, form, strict=options.strict, background=options.background)
    write = functools.partial(write_image, image, form=form, quality=options.quality)
    written = write_target(target, write, options)
    if options.preserve:
        preserve(source, target)
    for problem in decoded.problems:
        warn_of_loss(problem)
    return dataclasses.replace(
        result,
        width_px=image.width,
        height_px=image.height,
        input_bytes=lat_bytes,
        output_bytes=written.size,
        lat_pixels=header.width_px * header.height_px,
        lat_bytes=lat_bytes,
        quality=header.quality_tenths / 10,
        mode=image.mode,
        is_damaged=bool(decoded.problems),
        sha256=written.sha256,
    )


def decode_image(data: Bytes, options: DecodeFileOptions) -> Decoded[Image]:
    """The picture, and what was lost of it. Raises LatError."""
    try:
        return decoder.decode(
            data,
            ImageCanvas,
            options,
            load=functools.partial(load_codec, runtime=options.runtime),
        )
    except ValueError as error:  # a region that is not inside the picture
        raise LatError(str(error)) from error
