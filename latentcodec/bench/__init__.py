"""Measures latentcodec against other codecs. The codec itself never imports this package."""
