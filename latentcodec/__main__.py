"""The program `latentcodec`, and `python -m latentcodec`."""

import sys

from latentcodec.cli import main
from latentcodec.runtime.precision import use_whole_process


def run() -> None:
    """The command line in a process that is its own."""
    if sys.argv[1:2] != ["train"]:  # which says for each product what it needs
        use_whole_process()
    main(prog_name="latentcodec")


if __name__ == "__main__":
    run()
