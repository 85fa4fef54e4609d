"""Every flipped bit and every truncation of real files is noticed before anything is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

import latentcodec
from latentcodec.errors import LatError, TruncatedFile
from latentcodec.format import container


def bare(photo: np.ndarray) -> bytes:
    """The smallest kind: 8 x 8 px, one chunk."""
    return latentcodec.encode(photo[200:208, 300:308], quality=30)


def full(photo: np.ndarray) -> bytes:
    """16 x 16 px with every kind of chunk there is."""
    image = Image.fromarray(photo[200:216, 300:316])
    image.putalpha(Image.linear_gradient("L").resize((16, 16)))
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    stream = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    image.save(stream, "TIFF", exif=exif, icc_profile=profile)
    with Image.open(stream) as source:
        source.load()
        source.info["xmp"] = b"<x:xmpmeta/>"
        return latentcodec.encode(source, quality=30)


@pytest.mark.parametrize("make", [bare, full])
def test_every_flipped_bit_is_noticed(
    make: Callable[[np.ndarray], bytes], photo: np.ndarray
) -> None:
    data = make(photo)
    file = container.read(data)
    assert len(file.metadata) == (4 if make is full else 0)
    assert len(file.alphas) == (1 if make is full else 0)
    changed = bytearray(data)
    for bit in range(8 * len(data)):
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LatError):
            container.read(bytes(changed))
        changed[bit // 8] ^= 1 << bit % 8
    assert bytes(changed) == data


@pytest.mark.parametrize("make", [bare, full])
def test_every_truncation_is_noticed(
    make: Callable[[np.ndarray], bytes], photo: np.ndarray
) -> None:
    data = make(photo)
    for length in range(1, len(data)):
        with pytest.raises(TruncatedFile):
            container.read(data[:length])


def test_a_header_alone_is_checked_too(photo: np.ndarray) -> None:
    """As `info` and Pillow's `open` read it."""
    head = bare(photo)[: container.HEADER_BYTES]
    for bit in range(8 * len(head)):
        changed = bytearray(head)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LatError):
            container.read_header(bytes(changed))
