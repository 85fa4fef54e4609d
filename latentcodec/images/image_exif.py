"""The EXIF block of a Pillow image: as it was read, with what the caller has changed in it."""

from __future__ import annotations

from typing import Any

from PIL import Image

from latentcodec.errors import warn_of_loss
from latentcodec.images import exif

# In a TIFF file the directory also describes strips, the profile and so on: only these of its
# tags are about the photograph (description, camera, orientation, resolution, software, date,
# artist, copyright, and the EXIF and GPS directories).
_TIFF_TAGS = (270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853)
_DIRECTORIES = (exif.EXIF_DIRECTORY, exif.GPS_DIRECTORY)
_RAW_PROFILE = "Raw profile type exif"  # the text in which ImageMagick keeps EXIF in PNG

_Tags = dict[tuple[int, int], str]  # (directory, tag): its value in words


class _Text(str):
    """Text that Pillow writes as the bytes it was read from; its own writer knows ASCII alone."""

    __slots__ = ()

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        try:
            return super().encode("latin-1")  # Pillow reads as Latin-1
        except UnicodeEncodeError:
            return super().encode("utf-8")


def exif_of(image: Image.Image) -> bytes | None:
    """The block that belongs to an image, byte for byte where the caller has not changed it.

    `info["exif"]` counts, with what was changed in `getexif()`; where it was deleted there is none.
    Without any at first, what was added to `getexif()` counts, and of a TIFF file the tags that are
    about the photograph.
    """
    block, chosen = _block_of(image), image._exif
    if block is None:
        return _made(image)
    block = exif.with_prefix(block)
    if chosen is None or not chosen._loaded or chosen._loaded_exif is None:
        return block
    if exif.with_prefix(chosen._loaded_exif) != block:  # `info` was set after that
        return block
    try:
        before, after = _tags(_as_read(image), chosen), _tags(chosen, chosen)
    except Exception:  # Pillow raises nearly anything on a block that it cannot take apart
        return block
    return _changed(block, chosen, before, after)


def _block_of(image: Image.Image) -> bytes | None:
    block = image.info.get("exif")
    if block is None and isinstance(text := image.info.get(_RAW_PROFILE), str):
        try:
            return bytes.fromhex("".join(text.split("\n")[3:]))
        except ValueError:
            return None
    if isinstance(block, Image.Exif):
        return block.tobytes()
    return bytes(block) if block else None


def _made(image: Image.Image) -> bytes | None:
    """A new block, of an image that has none as bytes."""
    try:
        chosen = image.getexif()
        if chosen._loaded_exif:  # of a block that the caller deleted
            return None
        if hasattr(image, "tag_v2"):
            return _serialised(chosen, set(chosen) & set(_TIFF_TAGS))
        if _tags(chosen, chosen) == _tags(_as_read(image), chosen):
            return None  # no more than an orientation that Pillow has from XMP
        return _serialised(chosen, set(chosen))
    except Exception:  # Pillow raises nearly anything on a broken directory
        return None


def _as_read(image: Image.Image) -> Image.Exif:
    """What `getexif` gives of an image that nobody has touched."""
    fresh = Image.Image()
    fresh.info = image.info
    return fresh.getexif()


def _tags(data: Image.Exif, looked_at: Image.Exif) -> _Tags:
    """All tags, of directories those that the caller has looked at: others cannot be changed."""
    found = {(exif.MAIN, tag): str(value) for tag, value in data.items() if tag not in _DIRECTORIES}
    for name in _DIRECTORIES:
        if name in data or name in data._hidden_data or data._ifds.get(name):
            found[exif.MAIN, name] = ""
            if name in looked_at._ifds:
                found |= {(name, tag): str(value) for tag, value in data.get_ifd(name).items()}
    return found


def _changed(block: bytes, chosen: Image.Exif, before: _Tags, after: _Tags) -> bytes | None:
    if before == after:
        return block
    gone = before.keys() - after.keys()
    if {key: before[key] for key in before.keys() - gone} == after:
        try:
            return exif.without(block, gone)
        except ValueError:
            pass
    return _serialised(chosen, set(chosen))


def _serialised(chosen: Image.Exif, tags: set[int]) -> bytes | None:
    """A block of some of the tags that an image has."""
    result = Image.Exif()
    result.endian = chosen.endian
    for tag in sorted(tags - set(_DIRECTORIES)):
        result[tag] = _encoded(chosen[tag])
        if not _is_writable(result):
            del result[tag]
            warn_of_loss(f"the EXIF tag {tag:#06x} is of a kind that Pillow cannot write: left out")
    for name in _DIRECTORIES:
        directory = dict(chosen.get_ifd(name)) if name in tags or name in chosen._ifds else {}
        if isinstance(directory.get(exif.INTEROP_DIRECTORY), int):
            directory[exif.INTEROP_DIRECTORY] = dict(chosen.get_ifd(exif.INTEROP_DIRECTORY))
        if directory:
            result.get_ifd(name).update(_encoded(directory))
    whole = result.tobytes()
    return whole if exif.has_entries(whole) else None


def _is_writable(data: Image.Exif) -> bool:
    try:
        data.tobytes()
    except Exception:  # Pillow raises nearly anything on a value of another type
        return False
    return True


def for_tiff(block: bytes) -> Image.Exif:
    """A block as what Pillow's writer of TIFF takes, which keeps no offsets."""
    data = Image.Exif()
    data.load(block)
    for tag in data:
        data[tag] = _encoded(data[tag])
    for name in _DIRECTORIES:
        if name in data:
            directory = data.get_ifd(name)
            directory.update(_encoded(dict(directory)))
    return data


class _Carried(Image.Exif):
    """A block that stays as it is, whatever Pillow's writer takes out of it first."""

    def __init__(self, block: bytes) -> None:
        super().__init__()
        self._block = block
        self.load(block)

    def tobytes(self, offset: int = 8) -> bytes:
        return self._block


def for_avif(block: bytes) -> bytes | Image.Exif:
    """A block as what Pillow's writer of AVIF takes: it makes properties of the file of the
    orientation, and would write the rest anew."""
    return _Carried(block) if _has_orientation(block) else block


def _has_orientation(block: bytes) -> bool:
    data = Image.Exif()
    data.load(block)
    return exif.ORIENTATION in data


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {tag: _encoded(one) for tag, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_encoded(one) for one in value)
    return _Text(value) if isinstance(value, str) else value
