"""Refined latents: no effort gives a worse file than a lower one, of any picture."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import latentcodec
from latentcodec.format import container
from latentcodec.format.container import Colour
from latentcodec.images.picture import Picture, picture_of
from latentcodec.models.float_prior import Costs
from latentcodec.options import EncodeOptions
from latentcodec.pipeline import encoder, refinement
from latentcodec.pipeline.refinement import Refinement
from latentcodec.pipeline.tiling import grid, padded
from latentcodec.runtime import model_store, torch_refinement
from latentcodec.runtime.base import Family
from latentcodec.runtime.model_store import Tune
from latentcodec.runtime.torch_refinement import Curvature, error_of
from tests.runtime.small_models import weights_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Names of small models by their families."""
    folder, names = tmp_path_factory.mktemp("small"), {}
    for family in ("hyper", "ae"):
        path = folder / f"{family}.safetensors"
        path.write_bytes(weights_of(family))
        names[family] = model_store.register_weights(path, runtime="torch")
    return names


@functools.cache
def loaded(model: str) -> tuple[Family, Tune]:
    entry = model_store.by_name(model)
    return model_store.load_codec(entry, "torch"), model_store.tune_of(entry)


def cost(pixels: NDArray[np.uint8], data: bytes, model: str, quality: float) -> float:
    """lambda * error + bits of a file, by its own decoder; what alpha hides does not count."""
    family, tune = loaded(model)
    decoded = picture_of(latentcodec.decode_array(data))
    picture = picture_of(pixels)
    seen = np.zeros((picture.height + -picture.height % 16, picture.width + -picture.width % 16))
    visible = np.ones_like(picture.pixels[..., 0]) if picture.alpha is None else picture.alpha
    seen[: picture.height, : picture.width] = visible > 0
    error = error_of(padded(decoded.pixels), padded(picture.pixels), seen > 0, tune)
    return family.config.lambda_of(family.level(round(10 * quality))) * error + 8 * len(data)


def _noise(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def _picture(kind: str, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    crop = photo[200:280, 300:401]
    if kind == "alpha":
        alpha = np.full((80, 101, 1), 255, dtype=np.uint8)
        alpha[20:60, 30:] = 0
        return np.concatenate([crop, alpha], axis=2)
    return {
        "photo": crop,
        "wide": photo[100:180, 20:420],
        "tall": photo[:200, 300:317],
        "pixel": photo[:1, :1],
        "tiny": photo[50:53, 60:62],
        "flat": np.full((64, 48, 3), 77, dtype=np.uint8),
        "noise": _noise((48, 64, 3)),
        "grey": crop[..., 1],
        "five scales": photo[:165, 100:300],
    }[kind]


KINDS = ("photo", "wide", "tall", "pixel", "tiny", "flat", "noise", "grey", "alpha")


@pytest.mark.parametrize(
    ("kind", "model"),
    [(k, "hyper-base") for k in KINDS]
    + [
        ("photo", "ae"),
        ("alpha", "ae-base"),
        ("photo", "vae-base"),
        ("photo", "hyper-ssim"),
        ("five scales", "hyper-ssim"),
        ("photo", "hyper"),
        ("tall", "hyper"),
        ("noise", "hyper"),
    ],
)
def test_no_effort_is_worse_than_a_lower_one(
    kind: str, model: str, photo: NDArray[np.uint8], small: dict[str, str]
) -> None:
    model, quality = small.get(model, model), 75
    pixels = _picture(kind, photo)
    files = [
        latentcodec.encode(pixels, model=model, quality=quality, effort=effort)
        for effort in range(1, 5)
    ]
    plain, *costs = (cost(pixels, data, model, quality) for data in files)
    assert costs == sorted(costs, reverse=True)
    assert costs[1] <= plain
    if kind in ("photo", "alpha") and model != "vae-base":
        assert costs[-1] < costs[0]


def test_a_photograph_gains(photo: NDArray[np.uint8]) -> None:
    pixels = photo[200:360, 300:492]
    fast, slow = (
        cost(pixels, latentcodec.encode(pixels, tune="psnr", effort=effort), "hyper-base", 50)
        for effort in (2, 5)
    )
    assert slow < 0.98 * fast


def test_curvature_is_that_of_what_changes_together() -> None:
    # Two latents mend the same error (a + b)^2, a third has one of its own, a fourth stays.
    def slope(v: torch.Tensor) -> torch.Tensor:
        both = 20 * (v[0] + v[1])
        return torch.stack([both, both, 20 * v[2], v[3]])

    curvature = Curvature(torch.full((4,), 10.0))
    v = torch.zeros(4)
    for step in range(12):
        curvature.learn(v, slope(v))
        v = v + torch.tensor([1.0, 1.0, 1.0, 0.25]) * (-1) ** step
    assert torch.allclose(curvature.value, torch.tensor([20.0, 20.0, 10.0, 10.0]), rtol=0.01)


def test_tiles_are_refined_among_their_neighbours(
    photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six tiles, of which the last ones are small: all of it costs less after each pass."""
    for module in (encoder, refinement):
        monkeypatch.setattr(module, "TILE_CELLS", 6)
    monkeypatch.setattr(refinement, "_BLOCK_CELLS", 4)
    monkeypatch.setattr(refinement, "_UPDATES", (2, 2))
    family, _ = loaded("hyper-base")
    picture = Picture(photo[100:220, 100:315], Colour.RGB, {})
    places, costs = list(grid(8, 14, 6)), []
    for effort in range(2, 5):
        latents = encoder._latent_tiles(family, picture, 500)
        if effort == 2:
            tiles = encoder._coded(family, latents, 500, plain=False)
        else:
            refined = Refinement(family, picture, 500, tune="psnr", hidden=None)
            tiles = refined.run(latents, effort, refinement.silent)
        v_hat = np.zeros((8, 14, family.config.latents), dtype=np.int32)
        total = 0
        for number, payload, own in tiles:
            down, right = places[number]
            v_hat[down.own, right.own] = own
            total += 8 * container.tile_bytes(payload)
        decoded = family.synthesise(v_hat, 500)[:120, :215]
        error = np.square(decoded.astype(float) - picture.pixels).sum() / 3
        costs.append(family.config.lambda_of(family.level(500)) * error + total)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.99 * costs[0]


def test_refining_is_the_same_each_time(photo: NDArray[np.uint8]) -> None:
    files = {latentcodec.encode(photo[200:280, 300:401], effort=4, quality=60) for _ in range(2)}
    assert len(files) == 1


def test_a_long_run_is_no_worse_and_the_same_each_time(
    photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.ascontiguousarray(photo[200:248, 300:348])
    # The last pass of effort 8 begins with noise, here of a quarter of the updates.
    monkeypatch.setattr(refinement, "_UPDATES", (1, 1, 2, 3, 6, 12))
    monkeypatch.setattr(torch_refinement, "_LONG", 12)
    files = [latentcodec.encode(pixels, effort=effort) for effort in (7, 8, 8)]
    assert files[1] == files[2]
    before, after = (cost(pixels, data, "hyper-ssim", 50) for data in files[:2])
    assert after <= before


def test_progress_goes_to_its_end(photo: NDArray[np.uint8]) -> None:
    told: list[float] = []
    encoder.encode(
        picture_of(photo[:40, :40]), EncodeOptions(effort=3), model="hyper", progress=told.append
    )
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 3


def test_onnx_runtime_does_not_refine(photo: NDArray[np.uint8], small: dict[str, str]) -> None:
    pytest.importorskip("onnxruntime")
    codec = latentcodec.Codec(model=small["hyper"], runtime="onnx")
    with pytest.raises(latentcodec.LatError, match="effort 3 to 9 need torch"):
        codec.encode(photo[:32, :32], effort=3)
    assert codec.encode(photo[:32, :32], effort=1)


@pytest.mark.parametrize("effort", [0, 10, 2.5])
def test_other_efforts_are_refused(effort: int, photo: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="effort must be a whole number from 1 to 9"):
        latentcodec.encode(photo[:8, :8], effort=effort)


@pytest.mark.parametrize("family", ["hyper", "ae"])
def test_what_is_looked_at_is_what_is_coded(
    family: str, photo: NDArray[np.uint8], small: dict[str, str]
) -> None:
    """The rate's bits and latents are those of the coder, but for z and the coder's own words."""
    model, _ = loaded(small[family])
    y = model.analyse(photo[208:288, 304:368], 700)
    coder, v = model.tile(y, 700), model.steps_of(y, 700)
    payload, v_hat = coder.encode(v, plain=True)
    rate = coder.rate(torch.device("cpu"))
    wanted = rate.arranged((v_hat / 16).astype(np.float32))

    def choose(number: int, mean: torch.Tensor, costs: Costs) -> torch.Tensor:
        return mean + (wanted[number] - mean).round()

    leaves, bits = rate.code(choose)
    found = rate.grid(torch.stack(leaves))[0].detach().numpy()
    assert (np.abs(16 * found - v_hat) > 0.01).mean() < 0.01
    assert bits.item() == pytest.approx(8 * len(payload), rel=0.1, abs=64)
    assert bits.item() <= 8 * len(payload)
