"""Training in several processes, as `torchrun` starts them: one model, a share of each batch."""

from __future__ import annotations

import dataclasses
import os

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel


@dataclasses.dataclass(frozen=True)
class Ranks:
    """Which process this is, of how many. All of them take the same steps."""

    rank: int
    count: int
    device: torch.device

    @classmethod
    def join(cls, device: str) -> Ranks:
        """Join the other processes where torchrun has started this one; else be the only one.

        A device of "cuda" becomes this process's own GPU.
        """
        if "LOCAL_RANK" not in os.environ:
            return cls(0, 1, torch.device(device))
        if device == "cuda":
            device = f"cuda:{os.environ['LOCAL_RANK']}"
            torch.cuda.set_device(device)
        torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        return cls(
            torch.distributed.get_rank(), torch.distributed.get_world_size(), torch.device(device)
        )

    def leave(self) -> None:
        """Part from the other processes."""
        if self.count > 1:
            torch.distributed.destroy_process_group()

    def share(self, model: nn.Module) -> nn.Module:
        """The model, with gradients averaged over the processes in every backward pass."""
        return DistributedDataParallel(model) if self.count > 1 else model

    def broadcast(self, *values: float) -> list[float]:
        """The numbers that the first process gives here, in all of them."""
        if self.count == 1:
            return list(values)
        said = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(said, src=0)
        return said.tolist()

    def any_rank(self, value: bool) -> bool:
        """Whether any process says yes."""
        if self.count == 1:
            return value
        said = torch.tensor(float(value), device=self.device)
        torch.distributed.all_reduce(said, op=torch.distributed.ReduceOp.MAX)
        return bool(said)
