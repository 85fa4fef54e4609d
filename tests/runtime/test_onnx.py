"""ONNX Runtime against torch: the same latents from every file, and pixels within a grey level."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from click.testing import CliRunner
from PIL import Image

import latentcodec
from latentcodec.cli import main
from latentcodec.entropy.coding_order import STEPS
from latentcodec.errors import CorruptWeights, LatError
from latentcodec.models.families import sized
from latentcodec.pipeline.decoder import SCALES
from latentcodec.runtime import choice, precision, tensor_file
from latentcodec.runtime.base import Family
from latentcodec.runtime.onnx_export import export
from latentcodec.runtime.registry import built, load
from tests.page_followed import text_of
from tests.runtime.small_models import weights_of

onnx_networks = pytest.importorskip(
    "latentcodec.runtime.onnx_networks", reason="the extra `onnx` is not installed"
)


@dataclasses.dataclass(frozen=True)
class Both:
    """The same weights on both runtimes."""

    weights: bytes
    torch: Family
    onnx: Family


@pytest.fixture(scope="module", params=["hyper", "ae"])
def both(request: pytest.FixtureRequest) -> Both:
    weights = weights_of(request.param)
    return Both(weights, load(weights, "torch"), load(weights, "onnx"))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["hyper", "ae"])
def test_the_graphs_are_valid(family: str) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `dev` is not installed")
    files = export(weights_of(family))
    graphs = {name: data for name, data in files.items() if name.endswith(".onnx")}
    assert len(graphs) == (2 if family == "ae" else 4 + STEPS)
    for name, data in graphs.items():
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model, full_check=True)
        assert f"{model.graph.name}.onnx" == name
        for value in [*model.graph.input, *model.graph.output]:
            assert value.doc_string and value.type.tensor_type.shape.dim


def test_the_page_has_every_input_and_output() -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `dev` is not installed")
    sizes = {192: "M", 48: "M/4", 16: "Z", 32: "C", 128: "4 N"}  # of the small model
    types = {1: "float32", 2: "uint8", 6: "int32"}
    page = text_of("onnx.md")
    stated = re.findall(r"^\| `(\w+)` \| (in|out) \| `(\w+)` \| (\w+) \| (\[.*?\]) \|", page, re.M)
    files = export(weights_of("hyper"))
    found = set()
    for name in ("g_a", "g_s", "h_a", "h_s", "context_0", "context_1", "context_2", "context_3"):
        graph = onnx.load_from_string(files[f"{name}.onnx"]).graph
        for way, values in (("in", graph.input), ("out", graph.output)):
            for value in values:
                tensor = value.type.tensor_type
                dims = [
                    d.dim_param or sizes.get(d.dim_value, d.dim_value) for d in tensor.shape.dim
                ]
                shape = f"[{', '.join(map(str, dims))}]"
                found.add((name, way, value.name, types[tensor.elem_type], shape))
    shared = [row for row in stated if row[0] == "context_0"]
    besides = [row for row in stated if row[0] == "context_1"]
    later = {(f"context_{s}", *row[1:]) for s in (1, 2, 3) for row in [*shared, *besides]}
    assert found == {*stated, *later}


@pytest.mark.slow
@pytest.mark.parametrize("tenths", [10, 473, 1000])
def test_files_of_each_decode_to_equal_latents_in_the_other(both: Both, tenths: int) -> None:
    random = np.random.default_rng(tenths)
    for shape in ((13, 10), (1, 1), (4, 8)):
        y = random.normal(0, 1, (*shape, both.torch.config.latents)).astype(np.float32)
        for encoder, decoder in ((both.torch, both.onnx), (both.onnx, both.torch)):
            payload, v_hat = encoder.encode_latents(y, tenths)
            assert np.array_equal(decoder.decode_latents(payload, tenths, *shape), v_hat)
            assert np.abs(v_hat).max() > 15


def test_latents_at_the_limits_are_the_same(both: Both) -> None:
    """Symbols as large as they can be, which drive every clamp."""
    y = np.random.default_rng(3).normal(0, 1e4, (6, 5, both.torch.config.latents))
    payload, v_hat = both.torch.encode_latents(y.astype(np.float32), 900)
    assert np.array_equal(both.onnx.decode_latents(payload, 900, 6, 5), v_hat)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_latent(both: Both, threads: int) -> None:
    y = np.random.default_rng(4).normal(0, 1, (9, 12, both.torch.config.latents))
    payload, v_hat = both.torch.encode_latents(y.astype(np.float32), 600)
    model = both.onnx.on("cpu", threads)
    assert model is not both.onnx
    assert np.array_equal(model.decode_latents(payload, 600, 9, 12), v_hat)


@pytest.mark.parametrize("kernel", [3, 5])
def test_transforms(photo: np.ndarray, kernel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(precision.VARIABLE, "float32")
    weights = weights_of("hyper", kernel)
    torch_model, onnx_model = load(weights, "torch"), load(weights, "onnx")
    for pixels in (photo[:112, :160], photo[:16, :160], photo[:112, :16], photo[:16, :16]):
        y = torch_model.analyse(pixels, 700)
        assert np.allclose(onnx_model.analyse(pixels, 700), y, atol=1e-4)
        v_hat = np.rint(torch_model.steps_of(y, 700)).astype(np.int32) << 4
        for scale in SCALES:
            wanted = torch_model.synthesise(v_hat, 700, scale).astype(int)
            assert np.abs(onnx_model.synthesise(v_hat, 700, scale) - wanted).max() <= 1
            assert wanted.std() > 10 or pixels.size < 5000


@pytest.mark.parametrize("heights", [[1] * 20, [13, 7], [5, 1, 14], [20]])
def test_strips(
    both: Both, photo: np.ndarray, heights: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, model = photo[:320, :96], both.onnx
    whole, cuts = model.analyse(pixels, 700), np.cumsum(heights)[:-1]
    v_hat = np.rint(model.steps_of(whole, 700)).astype(np.int32) << 4
    picture = model.synthesise(v_hat, 700).astype(int)
    monkeypatch.setattr(onnx_networks, "_STRIP_CELLS", 12)
    parts = list(model.analyse_strips(np.split(pixels, cuts * 16), 700))
    assert np.allclose(np.concatenate(parts), whole, atol=1e-4)
    assert len(parts) > 1 or len(heights) == 1
    shown = np.concatenate(list(model.synthesise_strips(np.split(v_hat, cuts), 700)))
    assert np.abs(shown - picture).max() <= 1


def test_a_codec_on_either_runtime(both: Both, photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(both.weights)
    name = latentcodec.register_weights(path, runtime="onnx")
    codecs = [latentcodec.Codec(model=name, runtime=r, threads=1) for r in choice.RUNTIMES]
    pixels = photo[:70, :90]
    for codec in codecs:
        data = codec.encode(pixels, quality=70)
        first, second = (other.decode_array(data).astype(int) for other in codecs)
        assert first.shape == (70, 90, 3)
        assert np.abs(first - second).max() <= 1
    files = codecs[1].encode_batch([pixels, pixels[:40]])
    assert [image.size for image in codecs[1].decode_batch(files)] == [(90, 70), (90, 40)]


def test_the_commands(both: Both, tmp_path: Path, crop: Image.Image) -> None:
    (tmp_path / "mine.safetensors").write_bytes(both.weights)
    crop.save(tmp_path / "a.png")

    def run(*arguments: str) -> None:
        weights = ["--weights", str(tmp_path / "mine.safetensors")]
        result = CliRunner().invoke(main, [*arguments, *weights])
        assert result.exit_code == 0, result.output

    picture, lat = str(tmp_path / "a.png"), str(tmp_path / "a.lat")
    for runtime in choice.RUNTIMES:
        run("encode", picture, lat, "--runtime", runtime, "--verify", "--target-psnr", "15")
        run("decode", lat, str(tmp_path / f"{runtime}.png"), "--runtime", runtime)
    first, second = (np.asarray(Image.open(tmp_path / f"{r}.png")) for r in choice.RUNTIMES)
    assert np.abs(first.astype(int) - second).max() <= 1
    run("onnx", str(tmp_path / "graphs"))
    tables = safetensors.numpy.load_file(tmp_path / "graphs" / "tables.safetensors")
    assert "tables.counts" in tables
    assert (tmp_path / "graphs" / "g_s.onnx").stat().st_size > 10_000


def test_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(choice.VARIABLE, raising=False)
    assert choice.chosen() == "torch"
    assert choice.chosen("onnx") == "onnx"
    monkeypatch.setenv(choice.VARIABLE, "onnx")
    assert choice.chosen() == "onnx"
    assert choice.chosen("torch") == "torch"
    monkeypatch.delenv(choice.VARIABLE)
    monkeypatch.setattr(choice, "is_installed", lambda name: name == "onnx")
    assert choice.chosen() == "onnx"
    with pytest.raises(LatError, match="torch is not installed: pip install torch"):
        choice.chosen("torch")
    monkeypatch.setattr(choice, "is_installed", lambda name: False)
    with pytest.raises(LatError, match="neither torch nor onnxruntime"):
        choice.chosen()
    with pytest.raises(ValueError, match="the runtime must be torch or onnx, not 'tpu'"):
        choice.chosen("tpu")
    monkeypatch.setenv(choice.VARIABLE, "tpu")
    with pytest.raises(LatError, match="LATENTCODEC_RUNTIME must be torch or onnx, not 'tpu'"):
        choice.chosen()


def test_what_it_does_not_run_is_refused() -> None:
    with pytest.raises(LatError, match="vae64 runs on torch only"):
        built({}, "vae64", sized("vae64", "small"), "onnx")
    with pytest.raises(LatError, match="'quantum' cannot be used: ONNX Runtime here has cpu"):
        latentcodec.Codec(model="ae", device="quantum", runtime="onnx")


@pytest.mark.parametrize("runtime", choice.RUNTIMES)
@pytest.mark.parametrize("prefilter", [None, np.zeros((2, 16, 16)), np.eye(16), np.ones((2, 8))])
def test_a_prefilter_that_nothing_undoes_is_refused(
    runtime: choice.Runtime, prefilter: np.ndarray | None
) -> None:
    tensors, description = tensor_file.unpack(weights_of("hyper"))
    del tensors["float.g_a.prefilter"]
    if prefilter is not None:
        tensors["float.g_a.prefilter"] = prefilter.astype(np.float32)
    with pytest.raises(CorruptWeights):
        load(tensor_file.pack(tensors, description), runtime)


def test_layers_that_fit_no_graph_are_one_sentence(both: Both, photo: np.ndarray) -> None:
    name = "float.g_a.stem_8.weight"
    for stem in (None, np.zeros((3, 5), np.float32)):
        tensors, description = tensor_file.unpack(both.weights)
        del tensors[name]
        if stem is not None:
            tensors[name] = stem
        model = load(tensor_file.pack(tensors, description), "onnx")
        with pytest.raises(CorruptWeights, match="the weights make no graph g_a"):
            model.analyse(photo[:32, :32], 500)
