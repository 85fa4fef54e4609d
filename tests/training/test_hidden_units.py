"""Dead units of residual blocks are drawn anew, and a model is cut to the units that matter."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

from latentcodec.cli import main
from latentcodec.models.config import HyperConfig
from latentcodec.models.families import FAMILIES, build, sized
from latentcodec.models.layers import ResidualBlock
from latentcodec.models.transforms import TransformModel
from latentcodec.training import hidden_units, loop
from latentcodec.training.data import Photographs
from latentcodec.training.loop import Trainer
from latentcodec.training.restore import Saved
from latentcodec.training.settings import Settings

BLOCK = "g_s.blocks_16.0"


@pytest.fixture
def settings(photo: np.ndarray, tmp_path: Path) -> Settings:
    (tmp_path / "photos").mkdir()
    Image.fromarray(photo[:192, :192]).save(tmp_path / "photos" / "0.png")
    return Settings(
        data=[tmp_path / "photos"],
        out=tmp_path / "c.safetensors",
        config=sized("hyper", "small"),
        updates=100,
        batch=4,
        crop_px=64,
    )


def _trainer(settings: Settings) -> Trainer:
    return Trainer(settings, Photographs.load(settings.data, 107, torch.device("cpu")))


def _seen(trainer: Trainer) -> dict[str, hidden_units.Activity]:
    level = torch.linspace(0, trainer.config.anchors - 1, 4)
    return hidden_units.activity(trainer.model, [trainer.sampler.batch(0, 4)], level)


def _kill(block: ResidualBlock, units: slice) -> None:
    with torch.no_grad():
        block.expand.weight[units] = 0
        block.expand.bias[units] = -4  # hardswish is zero below -3


def test_activity_counts_firings_and_energy() -> None:
    block = ResidualBlock(4)
    model = torch.nn.ModuleDict({"b": block})
    model.forward = lambda x, level: block(x)
    batches = list(torch.randn(3, 2, 8, 8, 4))
    seen = hidden_units.activity(model, batches, torch.zeros(2))["b"]
    with torch.no_grad():
        h = torch.cat([block.depthwise(b.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) for b in batches])
        wide = block.expand(h).relu().flatten(0, 2)
    assert seen.positions == 3 * 2 * 64
    assert torch.equal(seen.fired, (wide > 0).sum(0).float())
    assert torch.allclose(seen.energy, wide.square().sum(0), rtol=1e-4)
    assert not block.expand._forward_hooks


@pytest.mark.slow
def test_dead_units_live_again_and_nothing_else_changes(settings: Settings) -> None:
    trainer = _trainer(settings)
    for _ in range(2):
        trainer.train_step()  # so that the optimisers have states
    block = trainer.model.get_submodule(BLOCK)
    assert isinstance(block, ResidualBlock)
    _kill(block, slice(10))
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    seen, states = _seen(trainer), trainer.optimisers.tensors()
    dead = {name: s.fired == 0 for name, s in seen.items()}
    assert bool(dead[BLOCK][:10].all())
    count = hidden_units.revive(seen, [trainer.model, trainer.averages.first], states)
    assert count == sum(int(d.sum()) for d in dead.values())
    block_of = {
        f"{name}.{part}": (name, axis) for name in dead for part, axis in hidden_units._AXES.items()
    }
    for key, value in trainer.model.state_dict().items():
        if key in block_of:
            name, axis = block_of[key]
            alive = (~dead[name]).nonzero().flatten()
            value, old = value.index_select(axis, alive), before[key].index_select(axis, alive)
            assert torch.equal(value, old), key
        else:
            assert torch.equal(value, before[key]), key
    assert bool((_seen(trainer)[BLOCK].fired[:10] > 0).sum() >= 7)
    assert bool((block.project.weight[:, :10] == 0).all())
    average = trainer.averages.first.get_submodule(BLOCK)
    assert isinstance(average, ResidualBlock)
    assert torch.equal(average.expand.weight[:10], block.expand.weight[:10])
    for key, state in states.items():
        if key.startswith(f"{BLOCK}.expand.weight/"):
            assert bool((state[:10] == 0).all())
    trainer.train_step()
    trainer.train_step()
    assert bool((block.project.weight[:, :10] != 0).any())  # they take part


@pytest.mark.slow
def test_the_trainer_looks_for_dead_units_now_and_then(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_REVIVAL_STEPS", 3)
    trainer = _trainer(settings)
    block = trainer.model.get_submodule(BLOCK)
    assert isinstance(block, ResidualBlock)
    for _ in range(3):
        _kill(block, slice(5))
        trainer.train_step()
    assert trainer.revived == 0
    trainer.train_step()
    assert trainer.revived >= 5


def _prune_of(settings: Settings) -> Settings:
    assert isinstance(settings.config, HyperConfig)
    config = dataclasses.replace(
        settings.config, expansion_8=1.5, expansion_16=1, context_expansion=1.25
    )
    return dataclasses.replace(settings, resume=settings.out, prune=True, config=config)


@pytest.mark.slow
def test_the_least_used_units_are_cut(settings: Settings) -> None:
    """With half of a block's units dead, a model cut to the other half computes the same."""
    wide = _trainer(settings)
    for _ in range(3):
        wide.train_step()
    for model in (wide.model, wide.averages.first):
        block = model.get_submodule(BLOCK)
        assert isinstance(block, ResidualBlock)
        _kill(block, slice(0, None, 2))
    wide.save(settings.out)
    assert isinstance(settings.config, HyperConfig)
    config = dataclasses.replace(settings.config, expansion_16=1)
    prune = _trainer(dataclasses.replace(_prune_of(settings), config=config))
    assert prune.config == config
    x, level = wide.sampler.batch(7, 2), torch.tensor([1.0, 5.0])
    with torch.no_grad():
        for model, cut in (
            (wide.model, prune.model),
            (wide.averages.first, prune.averages.first),
        ):
            assert isinstance(model, TransformModel) and isinstance(cut, TransformModel)
            y = model.analyse(x, level)
            assert torch.allclose(model.synthesise(y, level), cut.synthesise(y, level), atol=1e-5)
    assert prune.progress.step == 3


@pytest.mark.slow
def test_a_pruned_model_trains_on_and_is_saved(settings: Settings) -> None:
    wide = _trainer(settings)
    wide.train_step()
    wide.save(settings.out)
    prune = _trainer(_prune_of(settings))
    widths = {n: b.expand.out_features for n, b in hidden_units.blocks_of(prune.model).items()}
    assert widths["g_s.blocks_8.0"] == 48
    assert widths["g_s.blocks_16.0"] == 48
    assert widths["context.0.blocks.0"] == 40
    assert widths["g_a.blocks_16.0"] == 96
    assert all(
        a.shape == b.shape for a, b in _pairs(prune.optimisers.tensors(), prune.model.state_dict())
    )
    assert torch.isfinite(prune.train_step()["loss"])
    prune.save(settings.out)
    again = Saved.load(settings.out, "hyper")
    assert again.config == prune.config


def _pairs(states: dict[str, Tensor], weights: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    named = ((key.rpartition("/")[0], state) for key, state in states.items() if state.ndim)
    return [(state, weights[name]) for name, state in named if name in weights]


@pytest.mark.slow
def test_more_units_than_there_are_or_other_sizes_are_refused(settings: Settings) -> None:
    trainer = _trainer(settings)
    trainer.train_step()
    trainer.save(settings.out)
    for change, message in (
        ({"expansion_16": 3}, "more hidden units"),
        ({"latents": 96}, "of another shape"),
        ({"blocks_8": 2}, "has other layers"),
    ):
        config = dataclasses.replace(settings.config, **change)
        with pytest.raises(ValueError, match=message):
            _trainer(dataclasses.replace(_prune_of(settings), config=config))


def test_there_must_be_a_model_to_prune(settings: Settings) -> None:
    arguments = ["train", "--data", str(settings.data[0]), "--out", str(settings.out), "--prune"]
    result = CliRunner().invoke(main, [*arguments, "--updates", "1"])
    assert result.exit_code == 2
    assert "--prune goes with --resume" in result.stderr
    assert not settings.out.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_s_blocks_are_found(family: str) -> None:
    model = build(family, sized(family, "small"))
    hidden = itertools.chain(*(b.parameters() for b in hidden_units.blocks_of(model).values()))
    assert sum(p.numel() for p in hidden) > 0.05 * sum(p.numel() for p in model.parameters())
