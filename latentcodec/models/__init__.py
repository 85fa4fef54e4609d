"""The networks. Tensors inside them are channels-last: float32 [B, H, W, C]."""
