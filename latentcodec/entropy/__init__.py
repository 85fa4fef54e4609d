"""From integer latents to bytes and back, exactly: no rounding here depends on a machine."""
