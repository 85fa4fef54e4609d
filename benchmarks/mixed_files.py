"""Image files of many kinds out of photographs, whole and broken ones."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ink_profile import CMYK_ICC
from PIL import Image, ImageCms

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>a place</rdf:RDF></x:xmpmeta>'
CAMERA, ORIENTATION, GPS, LATITUDE = 0x010F, 0x0112, 0x8825, (52.0, 31.0, 12.0)
_GREY, _DITHERED_DB = "L", 10
_FOLDERS = ("", "2024", "Urlaub am Meer", "日本/京都", "été/à la plage", "50% #1 & co")
_STEMS = (
    "IMG_{:04d}",
    "photo {:d}",
    "Straße {:d}",
    "写真{:d}",
    "it's no. {:d}",
    "-q {:d}",
    "a.b.{:d}",
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of image file, and what must come back from it.

    write: saves a photograph (RGB) to a path. mode: of the decoded image. keeps: what metadata
    must be restored. warns: whether something of it is lost. shown: the image, of `mode`, that
    the decoded one must be near to, of the file opened by Pillow. least_db: how near.
    """

    name: str
    suffix: str
    mode: str
    write: Callable[[Image.Image, Path], object]
    keeps: tuple[str, ...] = ()
    warns: bool = False
    shown: Callable[[Image.Image], Image.Image] | None = None
    least_db: float = 27


@dataclasses.dataclass(frozen=True)
class Made:
    """A file of the folder, by its path in it; broken ones are of no kind."""

    path: Path
    kind: Kind | None


def exif(orientation: int = 1) -> bytes:
    """Camera, orientation and place."""
    made = Image.Exif()
    made[CAMERA], made[ORIENTATION] = "a camera", orientation
    made.get_ifd(GPS).update({1: "N", 2: LATITUDE})
    return made.tobytes()


def _save(mode: str = "RGB", **options: Any) -> Callable[[Image.Image, Path], object]:
    return lambda photo, path: photo.convert(mode).save(path, **options)


def _with_alpha(mode: str, **options: Any) -> Callable[[Image.Image, Path], object]:
    def write(photo: Image.Image, path: Path) -> None:
        photo = photo.convert(mode)
        photo.putalpha(Image.radial_gradient("L").resize(photo.size).point(lambda a: 255 - a))
        photo.save(path, **options)

    return write


def _palette(transparent: bool, **options: Any) -> Callable[[Image.Image, Path], object]:
    def write(photo: Image.Image, path: Path) -> None:
        few = photo.quantize(200, dither=Image.Dither.NONE)
        more: dict[str, Any] = {"transparency": few.getpixel((0, 0))} if transparent else {}
        few.save(path, **more, **options)

    return write


def _frames(**options: Any) -> Callable[[Image.Image, Path], object]:
    def write(photo: Image.Image, path: Path) -> None:
        others = [photo.rotate(90 * turns) for turns in (1, 2)]
        photo.save(path, save_all=True, append_images=others, **options)

    return write


def _mpo(photo: Image.Image, path: Path) -> None:
    preview = photo.resize((photo.width // 4, photo.height // 4))
    photo.save(path, "MPO", save_all=True, append_images=[preview], quality=95)


def _deep_grey(photo: Image.Image, path: Path) -> None:
    Image.fromarray(np.asarray(photo.convert(_GREY)).astype(np.uint16) * 257).save(path)


def _deep_rgb(photo: Image.Image, path: Path) -> None:
    """A PNG of 16 bits per channel, which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    samples = np.asarray(photo).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    size = photo.width.to_bytes(4, "big") + photo.height.to_bytes(4, "big")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + bytes([16, 2, 0, 0, 0]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _lab(photo: Image.Image, path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(photo, srgb, lab, outputMode="LAB")
    assert converted is not None
    converted.save(path)


def _from_lab(image: Image.Image) -> Image.Image:
    return _through(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


def _from_cmyk(image: Image.Image) -> Image.Image:
    shown = _through(image, ImageCms.ImageCmsProfile(io.BytesIO(CMYK_ICC)))
    by_formula = np.asarray(image.convert("RGB"), float)
    assert np.abs(np.asarray(shown) - by_formula).mean() > 2, "the profile makes no difference"
    return shown


def _through(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    shown = ImageCms.profileToProfile(
        image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert shown is not None
    return shown


_ALL = ("exif", "icc", "xmp")
_INFO: dict[str, Any] = {"exif": exif(6), "icc_profile": ICC, "xmp": XMP}


def _png_with_all(photo: Image.Image, path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    photo.save(path, pnginfo=info, exif=exif(6), icc_profile=ICC)


KINDS = (
    Kind("PNG, RGB", ".png", "RGB", _save()),
    Kind("PNG, RGB with EXIF, ICC, XMP", ".png", "RGB", _png_with_all, keeps=_ALL),
    Kind("PNG, grey", ".png", "L", _save("L")),
    Kind("PNG, 1 bit", ".png", "L", _save("1"), least_db=_DITHERED_DB),
    Kind("PNG, palette", ".PNG", "RGB", _palette(False)),
    Kind("PNG, palette with transparency", ".png", "RGBA", _palette(True)),
    Kind("PNG, RGBA", ".png", "RGBA", _with_alpha("RGB")),
    Kind("PNG, grey with alpha", ".png", "LA", _with_alpha("L")),
    Kind("PNG, opaque RGBA", ".png", "RGB", _save("RGBA")),
    Kind("PNG, grey, 16 bits", ".png", "L", _deep_grey, warns=True,
         shown=lambda i: Image.fromarray((np.asarray(i) // 257).astype(np.uint8))),
    Kind("PNG, RGB, 16 bits", ".png", "RGB", _deep_rgb, warns=True),
    Kind("PNG, animated", ".png", "RGB", _frames(), warns=True),
    Kind("JPEG", ".jpg", "RGB", _save(quality=95)),
    Kind("JPEG, grey", ".jpeg", "L", _save("L", quality=95)),
    Kind("JPEG with EXIF, ICC, XMP", ".JPG", "RGB", _save(quality=90, **_INFO), keeps=_ALL),
    Kind("JPEG, progressive, lying on its side", ".jpg", "RGB",
         _save(progressive=True, exif=exif(8)), keeps=("exif",)),
    Kind("JPEG with GPS", ".jpg", "RGB", _save(quality=80, exif=exif()), keeps=("exif",)),
    Kind("JPEG, CMYK", ".jpg", "RGB", _save("CMYK", quality=95), warns=True),
    Kind("JPEG, CMYK with ICC", ".jpg", "RGB", _save("CMYK", quality=95, icc_profile=CMYK_ICC),
         warns=True, shown=_from_cmyk),
    Kind("MPO", ".jpg", "RGB", _mpo),
    Kind("TIFF", ".tif", "RGB", _save(compression="tiff_lzw")),
    Kind("TIFF with EXIF and ICC", ".tiff", "RGB", _save(exif=exif(3), icc_profile=ICC),
         keeps=("exif", "icc")),
    Kind("TIFF, fax", ".tif", "L", _save("1", compression="group4"), least_db=_DITHERED_DB),
    Kind("TIFF, CMYK with ICC", ".tif", "RGB", _save("CMYK", icc_profile=CMYK_ICC), warns=True,
         shown=_from_cmyk),
    Kind("TIFF, L*a*b*", ".tif", "RGB", _lab, warns=True, shown=_from_lab),
    Kind("TIFF, pages", ".tif", "RGB", _frames(), warns=True),
    Kind("WebP", ".webp", "RGB", _save(quality=90)),
    Kind("WebP with EXIF, ICC, XMP", ".webp", "RGB", _save(**_INFO), keeps=_ALL),
    Kind("WebP, RGBA", ".webp", "RGBA", _with_alpha("RGB", lossless=True, exact=True)),
    Kind("WebP, animated", ".webp", "RGB", _frames(lossless=True), warns=True),
    Kind("AVIF", ".avif", "RGB", _save(quality=85, speed=10)),
    Kind("AVIF with EXIF, ICC, XMP", ".avif", "RGB", _save(speed=10, **_INFO), keeps=_ALL),
    Kind("AVIF, RGBA", ".avif", "RGBA", _with_alpha("RGB", quality=85, speed=10)),
    Kind("GIF", ".gif", "RGB", _palette(False)),
    Kind("GIF with transparency", ".gif", "RGBA", _palette(True)),
    Kind("GIF, animated", ".gif", "RGB", _frames(), warns=True),
    Kind("BMP", ".bmp", "RGB", _save()),
    Kind("PPM", ".ppm", "RGB", _save()),
    Kind("PGM", ".pgm", "L", _save("L")),
    Kind("TGA", ".tga", "RGBA", _with_alpha("RGB")),
    Kind("JPEG 2000", ".jp2", "RGB", _save()),
)  # fmt: skip


def _broken(photo: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Names and contents of files that no program can open, or that hold no photograph."""

    def file(image: Image.Image, form: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return buffer.getvalue()

    png, jpeg, webp = (file(photo, form) for form in ("PNG", "JPEG", "WEBP"))
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 1
    huge = png[:16] + (60000).to_bytes(4, "big") * 2 + png[24:29]
    yield "cut off.png", png[: len(png) // 2]
    yield "cut off.jpg", jpeg[: len(jpeg) // 2]
    yield "cut off.webp", webp[: len(webp) // 2]
    yield "only a start.jpg", jpeg[:20]
    yield "only a name.png", b""
    yield "empty.jpeg", b""
    yield "text.png", b"this is no picture\n"
    yield "a page.jpg", b"<!DOCTYPE html><title>404 Not Found</title>"
    yield "flipped bit.png", bytes(damaged)
    yield "far too large.png", huge + zlib.crc32(huge[12:]).to_bytes(4, "big") + png[33:]
    yield "floats.tif", file(photo.convert("F"), "TIFF")
    yield "zeros.gif", bytes(300)


def make(folder: Path, photos: Sequence[Path], count: int, sides_px: tuple[int, int]) -> list[Made]:
    """Write `count` images of all kinds, the same ones every time, and 12 broken files.

    Photographs are cut to rectangles whose sides are in sides_px. Beside them stand files that no
    command should touch.
    """
    random, made = np.random.default_rng(6), []
    for number in range(count):
        photo = _piece(Image.open(photos[number % len(photos)]).convert("RGB"), random, sides_px)
        kind = KINDS[number % len(KINDS)]
        stem = _STEMS[number % len(_STEMS)].format(number)
        if number == 0 and sys.platform == "linux":
            stem = os.fsdecode(b"caf\xe9 in Latin-1")
        made.append(Made(Path(_FOLDERS[number % len(_FOLDERS)], stem + kind.suffix), kind))
        (folder / made[-1].path).parent.mkdir(parents=True, exist_ok=True)
        kind.write(photo, folder / made[-1].path)
    for number, (name, contents) in enumerate(_broken(photo)):
        made.append(Made(Path(_FOLDERS[number % len(_FOLDERS)], name), None))
        (folder / made[-1].path).parent.mkdir(parents=True, exist_ok=True)
        (folder / made[-1].path).write_bytes(contents)
    for name in (".hidden.png", "notes.txt", "Thumbs.db", "video.mp4"):
        (folder / name).write_bytes(b"no business of this program")
    (folder / "an empty folder").mkdir()
    return made


def _piece(
    photo: Image.Image, random: np.random.Generator, sides_px: tuple[int, int]
) -> Image.Image:
    width, height = (int(random.integers(*sides_px, endpoint=True)) for _ in range(2))
    width, height = min(width, photo.width), min(height, photo.height)
    left = int(random.integers(photo.width - width + 1))
    top = int(random.integers(photo.height - height + 1))
    return photo.crop((left, top, left + width, top + height))
