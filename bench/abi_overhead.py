#!/usr/bin/env python3
"""Instructions that the C interface costs, counted by valgrind's callgrind.

    bench/abi_overhead.py PROGRAM MODEL PAIRS     PROGRAM: build/release/bench/abi_overhead

Each number is a run with much work less one with little, so what loading costs is not in it.
"""

import re
import subprocess
import sys


def instructions(program, side, work, model, pairs, count):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, side, work, model, pairs, str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"abi_overhead.py: {side} {work}: {run.stderr[-500:]}")
    return int(found.group(1)), run.stdout.strip()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, model, pairs = sys.argv[1:]
    for work, little, much in (("encode", 8, 40), ("train", 1, 3)):
        cost = {}
        for side in ("core", "capi"):
            small, _ = instructions(program, side, work, model, pairs, little)
            large, result = instructions(program, side, work, model, pairs, much)
            cost[side] = (large - small, result)
        (core, a), (capi, b) = cost["core"], cost["capi"]
        print(f"{work}: core {core} instructions, C interface {capi}: {100 * (capi - core) / core:+.3f} %"
              + ("" if a == b else f" (results differ: {a}, {b})"))


if __name__ == "__main__":
    main()
