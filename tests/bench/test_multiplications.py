"""What decoding costs, in multiplications, against the sizes of the layers."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import nn

pytest.importorskip("scipy", reason="the extra `bench` is not installed")

from latentcodec.bench.codecs import find
from latentcodec.bench.lat_codec import LatCodec
from latentcodec.entropy.coding_order import PHASES
from latentcodec.models.config import HyperConfig
from latentcodec.models.hyper import HyperModel
from latentcodec.runtime import model_store


def layers_kmac() -> float:
    """Thousands of multiplications a pixel of the packaged model's decoder, from its layers: each
    weight is a multiplication at each position."""
    loaded = model_store.load_codec(model_store.by_name(model_store.chosen()))
    assert isinstance(loaded.config, HyperConfig)
    with torch.device("meta"):
        model = HyperModel(loaded.config)
    g_s, h_s, steps = model.g_s, model.h_s, model.steps()
    per_16 = weights(g_s.shortcut, g_s.stem_16, g_s.blocks_16, g_s.stem_8)
    per_16 += sum(weights(step.blocks) for step in steps)
    for step in steps:
        phases = step.head.weight.numel()
        if step.coded is not None and step.magnitude is not None:
            # Coded latents have two digits, each with a product.
            phases += 2 * step.coded.weight.numel() + step.magnitude.weight.numel()
        per_16 += phases / PHASES  # each for one of the positions
    per_8 = weights(g_s.blocks_8, g_s.head)
    filters = 0
    if loaded.config.lapped:
        # 16 for each sample of a pixel in columns and in rows; those of columns are carried out for
        # all colours at once, with zeros for the other two.
        filters = 3 * (3 * 16) + 3 * 16
    side = weights(h_s.up_32) / 64**2 + weights(h_s.block, h_s.up_16) / 32**2
    return (per_16 / 16**2 + per_8 / 8**2 + filters + side) / 1000


def weights(*parts: nn.Module) -> float:
    """How many there are in the layers, without biases."""
    return sum(p.numel() for part in parts for p in part.parameters() if p.ndim > 1)


@pytest.mark.slow
def test_multiplications_are_those_of_the_layers() -> None:
    codec = find("lat")
    assert isinstance(codec, LatCodec)
    # Whole latents fit into these, so that the count for a pixel is the same; the last has tiles
    # that are decoded beside each other.
    for size in ((512, 256), (768, 512), (1088, 1024)):
        counted = codec.decoder_kmac(Image.new("RGB", size, "teal"))
        assert counted == pytest.approx(layers_kmac(), rel=0.002), size


@pytest.mark.slow
def test_multiplications_are_the_same_on_every_processor() -> None:
    """Where factors are rounded, some products are three."""
    codec, image = find("lat"), Image.new("RGB", (128, 128), "teal")
    assert isinstance(codec, LatCodec)
    wanted, before = codec.decoder_kmac(image), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        assert codec.decoder_kmac(image) == wanted
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
