"""Which codecs a benchmark measures where none are named."""

from __future__ import annotations

# What Pillow itself writes: with the other tune, too, under ten minutes for the 24 photographs of
# Kodak on two cores, of which the metrics take most.
QUICK = ("lat", "jpeg", "webp", "avif")
# The other tune, both with much effort, each rival at its best, by PSNR or for the eye, those that
# need a package of their own, and those that are never near.
THOROUGH = (
    *("lat:psnr", "lat:7", "lat:psnr:7", "jpegli", "jxl", "heic", "jpeg:444", "jpeg2000"),
    *("avif:2", "avif:psnr:444:2", "jxl:9", "heic:psnr:444"),
)
