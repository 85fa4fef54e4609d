"""What is fuzzed. A target makes one hostile input and gives it to the code: whatever it is, the
code must take it or raise a LatError."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import ChunkType
from latentcodec.images import metadata
from latentcodec.images.files import file_bytes
from latentcodec.pipeline.alpha import decode_alpha
from latentcodec.runtime import model_store
from tests.fuzz.integers import Target, drawn_target, packaged_target
from tests.fuzz.mutations import blind, rebuilt
from tests.paths import KODAK

_PHOTO = KODAK / "kodim23.png"


def seeds() -> list[bytes]:
    """Whole files to start from: small, with alpha and metadata, and of two tiles."""
    photo = np.asarray(Image.open(_PHOTO).convert("RGB"))
    image = Image.fromarray(photo[200:216, 300:316])
    rich = image.copy()
    rich.putalpha(Image.linear_gradient("L").resize((16, 16)))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    rich.info |= {"exif": exif.tobytes(), "xmp": b"<x:xmpmeta exif:GPSLatitude='1'/>"}
    rich.info["icc_profile"] = bytes(range(128))
    wide = np.tile(photo[:16], (1, 2, 1))[:, :1040]
    return [
        latentcodec.encode(image, quality=50),
        latentcodec.encode(rich, quality=30),
        latentcodec.encode(image.convert("L"), quality=90),
        latentcodec.encode(wide, quality=5),
    ]


def container_target() -> Target:
    """The container: reading alone, which takes microseconds."""
    files = seeds()

    def one(chance: random.Random) -> str:
        good = chance.choice(files)
        data = (blind if chance.random() < 0.5 else rebuilt)(good, chance)
        file = container.read(data)
        # What is accepted has one form only: written again, it is the same, but for optional
        # chunks and the order of the metadata.
        again = container.write(file)
        assert container.read(again) == file
        return "read"

    return one


def payload_target() -> Target:
    """Whole decodes of files whose checksums fit, and salvage of those that do not."""
    files = seeds()[:3]
    family = model_store.load_codec(model_store.by_name(model_store.chosen()))

    def one(chance: random.Random) -> str:
        good = chance.choice(files)
        file = container.read(good)
        match chance.randrange(9):
            case 0:  # words of chance, a payload of any length
                words = chance.randbytes(4 * chance.choice((0, 1, 2, 3, 10, 100, 5000)))
                latentcodec.decode(with_payload(file, words))
            case 1:  # few different words: the edges of the coder's state
                word = chance.choice((b"\xff" * 4, b"\0" * 4, b"\1\0\0\0", b"aL\0\0"))
                latentcodec.decode(with_payload(file, word * chance.randrange(200)))
            case 2 | 3 | 4:
                latentcodec.decode(with_payload(file, blind(file.tiles[0], chance)))
            case 5:
                latentcodec.decode(blind(good, chance), max_pixels=4096, salvage=True)
                return "salvaged"
            case 6:
                decode_alpha(_alpha(chance), chance.randrange(1, 40), chance.randrange(1, 40))
            case 7:  # another size or quality than the payload is of
                data = bytearray(good[:20])
                data[6:8] = struct.pack("<H", chance.randrange(10, 1001))
                data[8:12] = struct.pack("<HH", chance.randrange(1, 49), chance.randrange(1, 49))
                head = bytes(data) + struct.pack("<I", zlib.crc32(bytes(data)))
                latentcodec.decode(head + good[24:])
            case 8:  # what an encoder writes for latents that no picture has
                numbers = np.random.default_rng(chance.randrange(1 << 32))
                y = numbers.normal(0, 10 ** chance.uniform(-1, 6), (1, 1, family.config.latents))
                latents = y.astype(np.float32)
                words, _ = family.encode_latents(latents, file.header.quality_tenths)
                latentcodec.decode(with_payload(file, words))
        return "decoded"

    return one


def with_payload(file: container.LatFile, payload: bytes) -> bytes:
    """A file of one tile with another payload."""
    return container.write(container.LatFile(file.header, [payload], {}, file.alphas))


def _alpha(chance: random.Random) -> bytes:
    """The payload of an ALPHA chunk: a damaged stream, or a whole one of the wrong rows."""
    rows = chance.randbytes(chance.randrange(1, 1600))
    if chance.random() < 0.5:
        rows = rows.translate(bytes(byte % 4 for byte in range(256)))
    packed = b"\1" + zlib.compress(rows, chance.randrange(10))
    return blind(packed, chance) if chance.random() < 0.7 else packed


def metadata_target() -> Target:
    """EXIF, ICC and XMP of any content, stripped, opened by Pillow and passed on to formats."""
    import latentcodec.pillow  # noqa: F401

    good = _metadata_seeds()
    file = container.read(seeds()[0])
    pixels = Image.new("RGB", (8, 8))

    def one(chance: random.Random) -> str:
        kinds = chance.sample(sorted(good), chance.randrange(1, 4))
        chunks = {ChunkType(kind): blind(chance.choice(good[kind]), chance) for kind in kinds}
        data = container.write(container.LatFile(file.header, file.tiles, chunks))
        assert container.read_metadata(data) == chunks
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (16, 16)
        picture = pixels.copy()
        metadata.attach(picture, chunks)
        # As an encoder meets it, whatever the file was that Pillow read.
        collected = metadata.collect(picture)
        metadata.stripped(collected, [chance.choice(("gps", "exif", "icc", "xmp"))])
        file_bytes(picture, chance.choice(("PNG", "JPEG", "WEBP", "TIFF")))
        return "written"

    return one


def _metadata_seeds() -> dict[int, list[bytes]]:
    """Chunk payloads to start from, by type."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b"<x:xmpmeta exif:GPSLatitude='1'><exif:GPSAltitude>2</exif:GPSAltitude>"
    return {
        int(ChunkType.EXIF): [exif.tobytes(), b"Exif\0\0MM\0*\0\0\0\x08"],
        int(ChunkType.ICC): [bytes(range(132)), b"profile"],
        int(ChunkType.XMP): [xmp],
    }


def preview_target() -> Target:
    """Previews of any content, by themselves and as thumbnails."""
    ramp = np.linspace(0, 255, 40 * 300, dtype=np.uint8).reshape(40, 300)
    seed = container.read(latentcodec.encode(ramp, quality=5, preview=True))
    good = [seed.metadata[ChunkType.PREVIEW]]
    for options in ({"lossless": True}, {"quality": 1}):
        stream = io.BytesIO()
        Image.fromarray(ramp).convert("RGBA").save(stream, "WEBP", **options)
        good.append(stream.getvalue())

    def one(chance: random.Random) -> str:
        chunks = {ChunkType.PREVIEW: blind(chance.choice(good), chance)}
        data = container.write(container.LatFile(seed.header, seed.tiles, chunks))
        image = latentcodec.read_preview(data)
        assert image and max(image.size) <= 256 and image.mode == "L"
        return "read"

    return one


TARGETS: dict[str, Callable[[], Target]] = {
    "container": container_target,
    "payload": payload_target,
    "metadata": metadata_target,
    "preview": preview_target,
    "integers": packaged_target,
    "context": drawn_target,
}
