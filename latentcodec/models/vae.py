"""The `vae` family: the textbook variational autoencoder, whose prior is N(0, I).

    x --g_a--> mu, ln sigma;  z = mu + sigma * eps;  z --1/gain--> y_hat --g_s--> x_hat

Kingma and Welling 2014, "Auto-Encoding Variational Bayes". The loss is the negative ELBO up to
a constant: with a Gaussian likelihood of variance s^2 per pixel value and the weight beta on the
divergence, MSE / (2 s^2) + beta * KL is lambda * MSE + KL for lambda = 1 / (2 beta s^2), and each
quality level has its lambda. Every level has the same prior, N(0, I).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from latentcodec.models.config import TransformConfig
from latentcodec.models.layers import LevelTable
from latentcodec.models.transforms import Output, TransformModel

_LARGEST_START = 0.98  # of the posterior's variance at the start: no channel begins dead
LOG_SIGMA_RANGE = (-9.0, 2.0)


def kl_bits(mean: Tensor, log_sigma: Tensor) -> Tensor:
    """KL(N(mean, sigma^2) || N(0, 1)) in bits, elementwise (Kingma and Welling, appendix B)."""
    nats = 0.5 * (mean.square() + (2 * log_sigma).exp() - 1) - log_sigma
    return nats / math.log(2)


class VariationalAutoencoder(TransformModel):
    """`gain` leads from y to mu, and back from z to y_hat with `inverse_gain`."""

    def __init__(self, config: TransformConfig) -> None:
        super().__init__(config)
        self.log_sigma = LevelTable(config.anchors, config.latents)
        self.sigma_head = nn.Linear(config.channels_16, config.latents)

    @torch.no_grad()
    def start_prior(self, y: Tensor) -> None:
        """The optimum for independent Gaussian channels: reverse water-filling.

        With the noise D of the level and the variance V of a channel, sigma^2 = D / V, the mean
        has the variance 1 - sigma^2, and y_hat = sqrt(V) * sqrt(1 - sigma^2) * z.
        """
        self.sigma_head.weight.zero_()
        self.sigma_head.bias.zero_()
        # The gain before training is 1 / step, and the noise of rounding is step^2 / 12.
        noise = torch.exp(-2 * self.gain.rows) / 12
        spread = y.std(dim=0) * self.y_std
        variance = (noise / spread.square()).clamp_max(_LARGEST_START)
        self.log_sigma.rows.copy_(variance.log() / 2)
        self.gain.rows.copy_((1 - variance).log() / 2 - spread.log())
        self.inverse_gain.rows.copy_((1 - variance).log())

    def posterior(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """mu and ln sigma of q(z | x), float [B, H/16, W/16, M] each."""
        features = self.g_a.features(x, level)
        y = self.g_a.latents(self.g_a.linear(x), features, self.y_std)
        log_sigma = self.log_sigma(level) + self.sigma_head(features).float()
        return y * self.gain(level).exp(), log_sigma.clamp(*LOG_SIGMA_RANGE)

    def forward(self, x: Tensor, level: Tensor) -> Output:
        """The rate is the divergence; pixels come from a sample of the posterior.

        x: float [B, H, W, 3] in -1..1, H and W multiples of 16; level: float [B] in
        0..anchors - 1.
        """
        mean, log_sigma = self.posterior(x, level)
        z = mean + log_sigma.exp() * torch.randn_like(mean)
        bits = kl_bits(mean, log_sigma).sum(dim=(1, 2, 3))
        return Output(self.synthesise(z, level), bits)
