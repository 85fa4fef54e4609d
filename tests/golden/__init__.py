"""Files that must decode to the same latents for ever, a set for each packaged model."""
