"""Which codecs a benchmark measures where none are named."""

from __future__ import annotations

# Under ten minutes for the 24 Kodak photographs on two cores.
QUICK = ("lat", "jpeg", "jpegli", "webp", "avif", "jxl", "heic")
# The other tune, both with much effort, each rival at its best, by PSNR or for the eye, and those
# that are never near.
THOROUGH = (
    *("lat:psnr", "lat:7", "lat:psnr:7", "jpeg:444", "jpeg2000"),
    *("avif:2", "avif:psnr:444:2", "jxl:9", "heic:psnr:444"),
)
