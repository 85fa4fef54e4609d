"""`python -m tests.fuzz [--seconds N] [--target NAME] [--seed N]`: fuzz, and print the counts.

An input that raises anything but a LatError, or that takes longer than it may, is named by its
seed; the exit code is 1 then. `--seed N --count 1` does it again.
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.run import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, help="this one only")
    parser.add_argument("--seed", type=int, default=0, help="of the first input")
    parser.add_argument("--count", type=int, help="inputs of each target at most")
    chosen = parser.parse_args()
    names = [chosen.target] if chosen.target else list(TARGETS)
    failed = False
    for name in names:
        result = fuzz(name, chosen.seconds / len(names), chosen.seed, chosen.count)
        print(result.describe(), flush=True)
        failed = failed or bool(result.defects)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
