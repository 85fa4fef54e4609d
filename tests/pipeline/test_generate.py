"""Drawing pictures and going from one to another, in the latent spaces of all families."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from latentcodec.cli import main
from latentcodec.errors import UnknownModel
from latentcodec.models.families import sized
from latentcodec.pipeline.generate import interpolate, montage, sample, slerp
from latentcodec.runtime import model_store
from latentcodec.runtime.registry import load
from latentcodec.runtime.torch_networks import posterior
from latentcodec.runtime.vae import VaeFamily
from latentcodec.training.export import export
from latentcodec.training.loop import train
from latentcodec.training.settings import Settings

pytestmark = pytest.mark.slow

FAMILIES = ("hyper", "ae", "vae", "vae64")


@pytest.fixture(scope="module")
def weights(photo: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Barely trained small models of every family."""
    folder = tmp_path_factory.mktemp("models")
    Image.fromarray(np.tile(photo, (2, 1, 1))).save(folder / "photo.png")
    found = {}
    for family in FAMILIES:
        out, config = folder / f"{family}.safetensors", sized(family, "small")
        data = [folder / "photo.png"]
        train(
            Settings(data, out, config, family, updates=3, batch=2, crop_px=64), lambda line: None
        )
        export(out, out, data)
        found[family] = out.read_bytes()
    return found


@pytest.fixture(autouse=True)
def store(weights: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    entries = [
        model_store.ModelEntry(f"{name}-small", "TEST", name, "", f"{i:064d}")
        for i, name in enumerate(weights)
    ]
    monkeypatch.setattr(model_store, "entries", lambda: entries)
    monkeypatch.setattr(
        model_store, "load", lambda entry, runtime=None: load(weights[entry.family])
    )
    yield


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_what_is_drawn(family: str) -> None:
    size = None if family == "vae64" else (70, 50)
    first, again, other = (sample(family, 2, size, 40, seed) for seed in (7, 7, 8))
    assert [p.shape for p in first] == [(64, 64, 3) if size is None else (50, 70, 3)] * 2
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_a_way_begins_and_ends_at_the_pictures(family: str, path: str, photo: np.ndarray) -> None:
    first, last = Image.fromarray(photo[:80, :112]), Image.fromarray(photo[200:280, 300:412])
    way = interpolate(first, last, steps=4, model=family, quality=60, path=path)
    back = interpolate(last, first, steps=4, model=family, quality=60, path=path)
    assert len(way) == 4
    assert len({p.tobytes() for p in way}) == 4
    if family != "vae64":  # which three updates do not teach to reproduce anything
        assert way[0].shape == (80, 112, 3)
        error = way[0].astype(float) - photo[:80, :112]
        assert 10 * np.log10(255**2 / (error**2).mean()) > 25
    # The other end is where the way back begins; a great circle rounds its weights.
    assert np.abs(way[-1].astype(int) - back[0]).max() <= 1


def test_a_great_circle_keeps_the_length() -> None:
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 500))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    for share in (0.0, 0.3, 1.0):
        assert np.linalg.norm(slerp(a, b, share)) == pytest.approx(1)
    assert np.allclose(slerp(a, b, 0), a) and np.allclose(slerp(a, b, 1), b)
    assert np.allclose(slerp(a, a, 0.5), a)


def test_prior_and_posterior_are_in_the_same_units(
    weights: dict[str, bytes], photo: np.ndarray
) -> None:
    """Means are spread about as sqrt(1 - sigma^2): the aggregate posterior is near N(0, I)."""
    model = load(weights["vae"])
    assert isinstance(model, VaeFamily)
    mean, log_sigma = posterior(model, photo, 700)
    total = (mean**2).mean() + np.exp(2 * log_sigma).mean()
    assert 0.5 < total < 2


def test_a_montage_has_rows_of_columns() -> None:
    pictures = [np.full((4, 6, 3), value, dtype=np.uint8) for value in (10, 20, 30)]
    canvas = montage(pictures, columns=2)
    assert canvas.shape == (10, 14, 3)
    assert (canvas[0, 0, 0], canvas[0, 8, 0], canvas[6, 0, 0], canvas[9, 13, 0]) == (
        10,
        20,
        30,
        255,
    )


def _call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.stderr


def test_commands_write_grids_strips_and_animations(photo: np.ndarray, tmp_path: Path) -> None:
    for name, top in (("a", 0), ("b", 128)):
        Image.fromarray(photo[top : top + 96, :128]).save(tmp_path / f"{name}.png")
    ends = tmp_path / "a.png", tmp_path / "b.png"
    grid, strip, gif = (tmp_path / name for name in ("grid.png", "strip.png", "way.gif"))
    assert _call("sample", grid, "-n", 5, "--size", "48x32")[0] == 0
    assert Image.open(grid).size == (3 * 48 + 4, 2 * 32 + 2)
    assert _call("interpolate", *ends, strip, "--steps", 3)[0] == 0
    assert Image.open(strip).size == (3 * 128 + 4, 96)
    assert _call("interpolate", *ends, gif, "--steps", 3, "--path", "linear")[0] == 0
    assert getattr(Image.open(gif), "n_frames", 1) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("sample", "x.png", "--size", "0x5"), 2, "not a size"),
        (("sample", "x.png", "--size", "60000x60000"), 2, "pixels"),
        (("sample", "x.png", "--model", "vae64", "--size", "70x70"), 2, "64 x 64"),
        (("sample", "x.png", "--model", "none"), 1, "there is no model"),
        (
            (
                "sample",
                "x.nothing",
            ),
            2,
            "writes no",
        ),
        (("interpolate", "missing.png", "b.png", "x.png"), 1, "missing.png"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    arguments: tuple[str, ...],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    exit_code, message = _call(*arguments)
    assert exit_code == code
    assert said in message
    assert not list(tmp_path.iterdir())


def test_a_model_that_only_draws_codes_no_files() -> None:
    with pytest.raises(UnknownModel, match="codes no files"):
        model_store.load_codec(model_store.by_name("vae64"))
