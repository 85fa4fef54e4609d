"""What training minimises besides bits."""

from __future__ import annotations

import torch

from latentcodec.models.distortion import squared_error, structural


def test_structural_distortion_sees_structure() -> None:
    """Noise hurts it more than an offset of the same squared error, and it is on the same scale."""
    torch.manual_seed(1)
    photo = torch.rand(2, 24, 24, 3).repeat_interleave(8, 1).repeat_interleave(8, 2) - 0.5
    noise = photo + 0.1 * torch.randn_like(photo)
    shifted = photo + (noise - photo).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    assert torch.allclose(squared_error(noise, photo), squared_error(shifted, photo), rtol=1e-3)
    assert (structural(noise, photo) > 1.3 * structural(shifted, photo)).all()
    assert torch.allclose(structural(photo, photo), torch.zeros(2), atol=1e-3)
