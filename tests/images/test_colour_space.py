"""Colours that a picture tells of without a profile: they are kept by one that is made of it."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import latentcodec
from latentcodec.images.colour_space import colour_space_of
from tests.command_line import call, done

SAMPLES = np.array([[0, 0, 0], [255, 255, 255], [90, 120, 60], [200, 130, 140], [30, 60, 110]])
D65_P3 = [[0.6800, 0.3200], [0.2650, 0.6900], [0.1500, 0.0600]]
BT709 = [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]]
D65 = [0.3127, 0.3290]
CHRM_P3 = [0.3127, 0.329, *np.ravel(D65_P3)]


def png(*chunks: tuple[bytes, bytes], mode: str = "RGB") -> bytes:
    """A picture of SAMPLES with chunks behind its header."""
    image = Image.fromarray(np.tile(SAMPLES.astype(np.uint8)[:, None], (1, 8, 1))).convert(mode)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    data, more = stream.getvalue(), b""
    for kind, body in chunks:
        checksum = zlib.crc32(kind + body).to_bytes(4, "big")
        more += len(body).to_bytes(4, "big") + kind + body + checksum
    return data[:33] + more + data[33:]


def gama(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", round(100_000 * gamma).to_bytes(4, "big")


def chrm(*numbers: float) -> tuple[bytes, bytes]:
    return b"cHRM", b"".join(round(100_000 * one).to_bytes(4, "big") for one in numbers)


def cicp(*numbers: int) -> tuple[bytes, bytes]:
    return b"cICP", bytes(numbers)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def kept(data: bytes, tmp_path: Path) -> ImageCms.ImageCmsProfile:
    """The profile of what the command makes of a picture, without a warning."""
    (tmp_path / "in.png").write_bytes(data)
    result = call("encode", tmp_path / "in.png", tmp_path / "out.lat", "--strict", "-q", 95)
    assert (result.exit_code, result.stderr) == (0, "")
    profile = latentcodec.decode(tmp_path / "out.lat").info["icc_profile"]
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def in_srgb(profile: ImageCms.ImageCmsProfile, mode: str = "RGB") -> np.ndarray:
    image = Image.fromarray(SAMPLES.astype(np.uint8)[None]).convert(mode)
    target = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    result = ImageCms.profileToProfile(image, profile, target, intent, outputMode="RGB")
    assert result is not None
    return np.asarray(result)[0].astype(float)


def matrix(points: list[list[float]]) -> np.ndarray:
    """RGB to XYZ, from chromaticities, for white of D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in points]).T
    white = np.array([D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def by_formula(light: np.ndarray, points: list[list[float]]) -> np.ndarray:
    """Linear samples of some primaries as sRGB, 0..255."""
    linear = np.clip(light @ (np.linalg.inv(matrix(BT709)) @ matrix(points)).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * encoded


def srgb_light(samples: np.ndarray) -> np.ndarray:
    x = samples / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize(
    ("chunks", "light", "points"),
    [
        ([cicp(12, 13, 0, 1)], srgb_light(SAMPLES), D65_P3),
        ([cicp(1, 8, 0, 1)], SAMPLES / 255, BT709),
        ([cicp(12, 4, 0, 1), gama(1.0)], (SAMPLES / 255) ** 2.2, D65_P3),
        ([gama(1.0)], SAMPLES / 255, BT709),
        ([gama(0.5)], (SAMPLES / 255) ** 2, BT709),
        ([gama(0.45455), chrm(*CHRM_P3)], (SAMPLES / 255) ** 2.2, D65_P3),
        ([chrm(*CHRM_P3)], srgb_light(SAMPLES), D65_P3),
    ],
)
def test_colours_are_those_of_the_formula(
    chunks: list[tuple[bytes, bytes]], light: np.ndarray, points: list[list[float]], tmp_path: Path
) -> None:
    shown = in_srgb(kept(png(*chunks), tmp_path))
    assert np.abs(shown - by_formula(light, points)).max() < 2


def test_grey_has_a_grey_profile(tmp_path: Path) -> None:
    profile = kept(png(gama(1.0), chrm(*CHRM_P3), mode="L"), tmp_path)
    assert profile.profile.xcolor_space.strip() == "GRAY"
    grey = np.asarray(Image.fromarray(SAMPLES.astype(np.uint8)[None]).convert("L"))[0] / 255
    wanted = by_formula(np.repeat(grey[:, None], 3, 1), BT709)
    assert np.abs(in_srgb(profile, "L") - wanted).max() < 2


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("form", ["webp", "avif", "png"])
def test_grey_with_a_profile_where_a_format_has_only_rgb(
    form: str, mode: str, tmp_path: Path
) -> None:
    """The light of linear grey is that of sRGB's 188, without a profile that does not fit."""
    image = Image.new(mode, (32, 32), (128, 200)[: len(mode)])
    image.save(tmp_path / "plain.png")
    data = (tmp_path / "plain.png").read_bytes()
    kind, body = gama(1.0)
    chunk = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    (tmp_path / "in.png").write_bytes(data[:33] + chunk + data[33:])
    done(f"encode {tmp_path}/in.png {tmp_path}/x.lat -q 95")
    done(f"decode --strict {tmp_path}/x.lat {tmp_path}/x.{form}")
    with Image.open(tmp_path / f"x.{form}") as shown:
        profile = shown.info.get("icc_profile", b"")
        levels = np.asarray(shown.convert("RGB"), int)
        if mode == "LA":
            assert np.asarray(shown.getchannel("A")).max() == 200
    assert profile[16:20] == (b"GRAY" if form == "png" else b"")
    assert np.abs(levels - (128 if form == "png" else 188)).max() <= 3
    if (mode, form) == ("LA", "png"):  # what becomes RGB on a background has no grey profile
        for colour, space in (("red", b""), ("white", b"GRAY")):
            done(f"decode {tmp_path}/x.lat {tmp_path}/x.jpg --background {colour}")
            profile = Image.open(tmp_path / "x.jpg").info.get("icc_profile", b"")
            assert profile[16:20] == space


@pytest.mark.parametrize(
    "chunks",
    [
        [cicp(1, 13, 0, 1), gama(1.0)],
        [cicp(2, 2, 0, 1)],
        [(b"sRGB", b"\0"), gama(1.0)],
        [gama(0.45455)],
        [gama(0.45455), chrm(*D65, *np.ravel(BT709))],
        [],
    ],
)
def test_srgb_gets_no_profile(chunks: list[tuple[bytes, bytes]], tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png(*chunks))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = latentcodec.encode(tmp_path / "in.png", strict=True)
    assert "icc_profile" not in latentcodec.decode(data).info


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([cicp(9, 16, 0, 1)], "cICP 9/16/0/1"),
        ([cicp(9, 18, 0, 1)], "cICP 9/18/0/1"),
        ([cicp(1, 13, 0, 0)], "cICP 1/13/0/0"),
        ([cicp(77, 13, 0, 1)], "cICP 77/13/0/1"),
        ([gama(0.00001)], "its gamma"),
        ([chrm(0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3)], "its primaries"),
        ([chrm(0.3, 0, 0.6, 0.3, 0.3, 0.6, 0.1, 0.1)], "its primaries"),
    ],
)
def test_what_no_profile_can_say_is_said(
    chunks: list[tuple[bytes, bytes]], words: str, tmp_path: Path
) -> None:
    (tmp_path / "in.png").write_bytes(png(*chunks))
    with pytest.warns(latentcodec.LossWarning, match=words):
        latentcodec.encode(tmp_path / "in.png")


def test_a_profile_of_its_own_comes_first_and_what_is_stripped_is_no_loss(tmp_path: Path) -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = opened(png(gama(1.0)))
    image.info["icc_profile"] = own
    assert latentcodec.decode(latentcodec.encode(image)).info["icc_profile"] == own
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bare = latentcodec.encode(opened(png(gama(1.0))), strip=["icc"], strict=True)
    assert "icc_profile" not in latentcodec.decode(bare).info


def test_heif_tells_by_codes() -> None:
    image = Image.new("RGB", (8, 8))
    image.info["nclx_profile"] = {"color_primaries": 12, "transfer_characteristics": 13}
    space = colour_space_of(image)
    assert space is not None and space.profile is not None
    image.info["nclx_profile"] = {"color_primaries": 1, "transfer_characteristics": 13}
    assert colour_space_of(image) is None
