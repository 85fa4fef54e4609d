"""`python -m latentcodec`."""

from latentcodec.cli import main

main(prog_name="latentcodec")
