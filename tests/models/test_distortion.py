"""What training minimises besides bits."""

from __future__ import annotations

import pytest
import torch

from latentcodec.models.distortion import squared_error, structural
from latentcodec.models.ms_ssim import MsSsim


def test_structural_distortion_sees_structure() -> None:
    """Noise hurts it more than an offset of the same squared error, and it is on the same scale."""
    torch.manual_seed(1)
    photo = torch.rand(2, 24, 24, 3).repeat_interleave(8, 1).repeat_interleave(8, 2) - 0.5
    noise = photo + 0.1 * torch.randn_like(photo)
    shifted = photo + (noise - photo).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    assert torch.allclose(squared_error(noise, photo), squared_error(shifted, photo), rtol=1e-3)
    assert (structural(noise, photo) > 1.3 * structural(shifted, photo)).all()
    assert torch.allclose(structural(photo, photo), torch.zeros(2), atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(161, 203), (256, 192)])
def test_ms_ssim_is_that_of_pytorch_msssim(height: int, width: int) -> None:
    library = pytest.importorskip("pytorch_msssim", reason="the extra `bench` is not installed")
    torch.manual_seed(2)
    photo = torch.rand(2, 4, height // 8 + 1, width // 8 + 1).repeat_interleave(8, 2)
    photo = photo.repeat_interleave(8, 3)[:, :, :height, :width]
    for noise in (0.01, 0.1, 0.5):
        other = (photo + noise * torch.randn_like(photo)).clamp(0, 1)
        for channel, own in enumerate(MsSsim(photo)(other).T):
            pair = (t[:, channel : channel + 1] for t in (other, photo))
            expected = library.ms_ssim(*pair, data_range=1, size_average=False)
            torch.testing.assert_close(own, expected, rtol=0, atol=2e-6)


def test_luma_counts_most() -> None:
    """A change of brightness is worse than one of colour with the same squared error."""
    torch.manual_seed(3)
    photo = torch.rand(1, 24, 24, 3).repeat_interleave(8, 1).repeat_interleave(8, 2) - 0.5
    noise = torch.randn(1, 192, 192, 1)
    colour = torch.tensor([1.0, -0.6, 0.5])
    colour *= (3**0.5) / colour.norm()
    brighter, tinted = photo + 0.05 * noise, photo + 0.05 * noise * colour
    assert torch.allclose(squared_error(brighter, photo), squared_error(tinted, photo), rtol=1e-3)
    assert (structural(brighter, photo) > 1.5 * structural(tinted, photo)).all()
