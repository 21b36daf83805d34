"""hone beside the reference, in turn, as ratios.

    python3 bench/compare.py train|encode|first --model DIR --stsb FOLDER --reference PYTHON [--rounds 5] [--threads 2]

PYTHON is an interpreter with sentence-transformers 6.2.0. Each round runs the reference's script (bench/reference), then
hone's benchmark (build/release/bench/hone_bench, which measures the matrix rate around its own work), as processes of
their own. A round in which other guests stole more than 5 % of the processors is thrown away. Prints each round and the
medians.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"


def steal():
    with open("/proc/stat") as stat:
        ticks = [float(x) for x in stat.readline().split()[1:9]]
    return ticks[7], sum(ticks)


def last_json(command):
    run = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {run.returncode}\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.strip().splitlines()[-1])


def whole_process(command):
    """Seconds from exec to exit, and peak memory in MB."""
    start = time.perf_counter()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: failed")
    return seconds, usage.ru_maxrss / 1024


def one_round(args):
    scripts = ROOT / "bench" / "reference"
    common = ["--model", args.model, "--threads", args.threads]
    if args.what == "train":
        data = args.data or args.stsb / "train.en.tsv.gz"
        size = ["--batch-size", args.batch] + common
        theirs = last_json([args.reference, scripts / "train.py", "--data", data, "--steps", args.steps] + size)
        ours = last_json([BUILD / "bench" / "hone_bench", "train", "--data", data, "--batch", args.batch,
                          "--steps", 40, "--rounds", 1] + common)
        return {"reference": theirs["pairs_per_second"], "hone": ours["per_second"], "share": ours["share"],
                "matrix_rate": ours["matrix_rate_gflops"], "reference_mb": theirs["peak_megabytes"], "hone_mb": ours["peak_megabytes"]}
    if args.what == "encode":
        data = args.stsb / "test.en.tsv.gz"
        theirs = last_json([args.reference, scripts / "encode.py", "--data", data] + common)
        ours = last_json([BUILD / "bench" / "hone_bench", "encode", "--data", data, "--rounds", 1] + common)
        return {"reference": theirs["sentences_per_second"], "hone": ours["per_second"], "share": ours["share"],
                "matrix_rate": ours["matrix_rate_gflops"], "reference_mb": theirs["peak_megabytes"], "hone_mb": ours["peak_megabytes"]}
    out = BUILD / "first"
    text = BUILD / "first.txt"
    text.write_text("A first sentence.\n")
    seconds, memory = whole_process([args.reference, scripts / "first_vector.py", *common, "--out", f"{out}.reference.npy"])
    own, own_memory = whole_process([BUILD / "cli" / "hone", "encode", *common, "--input", text, "--out", f"{out}.npy", "--quiet"])
    return {"reference": 1 / seconds, "hone": 1 / own, "reference_seconds": seconds, "hone_seconds": own,
            "reference_mb": memory, "hone_mb": own_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["train", "encode", "first"])
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--stsb", type=pathlib.Path, help="folder of the STS benchmark")
    parser.add_argument("--data", type=pathlib.Path, help="other training pairs")
    parser.add_argument("--reference", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    rounds = []
    for number in range(args.rounds):
        before = steal()
        result = one_round(args)
        after = steal()
        result["stolen"] = (after[0] - before[0]) / max(after[1] - before[1], 1)
        result["ratio"] = result["hone"] / result["reference"]
        print(json.dumps({k: round(v, 4) for k, v in result.items()}), flush=True)
        if result["stolen"] <= 0.05:
            rounds.append(result)
    if not rounds:
        sys.exit("every round was disturbed: nothing to report")
    medians = {key: round(statistics.median(r[key] for r in rounds), 4) for key in rounds[0]}
    print("median of", len(rounds), "rounds:", json.dumps(medians))


if __name__ == "__main__":
    main()
