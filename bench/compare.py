"""hone beside the reference, in turn, as ratios.

    python3 bench/compare.py train|encode|first --model DIR --stsb FOLDER --reference PYTHON [--rounds 5] [--threads 2]
    python3 bench/compare.py train --model DIR --data PAIRS --loss mnr|cached-mnr --batch 64 --reference PYTHON
    python3 bench/compare.py retrieval --model DIR --data FOLDER --reference PYTHON     # FOLDER as in BEIR

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


def whole_process(command, output=os.devnull):
    """Seconds from exec to exit, and peak memory in MB; what it prints goes to the file `output`."""
    with open(output, "w") as file:
        start = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], stdout=file, stderr=subprocess.DEVNULL)
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
        theirs = last_json([args.reference, scripts / "train.py", "--data", data, "--steps", args.steps, "--warm-up",
                            1 if args.batch > 256 else 3, "--loss", args.loss] + size)
        bench = [BUILD / "bench" / "hone_bench", "train", "--data", data, "--batch", args.batch, "--steps",
                 args.steps if args.batch > 256 else 40, "--rounds", 1] + common
        if args.loss != "cosine":
            bench += ["--loss", "mnr"]
        ours = last_json(bench)
        result = {"reference": theirs["pairs_per_second"], "hone": ours["per_second"], "share": ours["share"],
                  "matrix_rate": ours["matrix_rate_gflops"], "reference_mb": theirs["peak_megabytes"],
                  "hone_mb": ours["peak_megabytes"]}
        if args.loss == "cached-mnr":
            cached = last_json(bench + ["--micro-tokens", args.micro_tokens])
            result |= {"hone_cached": cached["per_second"], "hone_cached_mb": cached["peak_megabytes"]}
        return result
    if args.what == "encode":
        data = args.stsb / "test.en.tsv.gz"
        theirs = last_json([args.reference, scripts / "encode.py", "--data", data] + common)
        ours = last_json([BUILD / "bench" / "hone_bench", "encode", "--data", data, "--rounds", 1] + common)
        return {"reference": theirs["sentences_per_second"], "hone": ours["per_second"], "share": ours["share"],
                "matrix_rate": ours["matrix_rate_gflops"], "reference_mb": theirs["peak_megabytes"], "hone_mb": ours["peak_megabytes"]}
    if args.what == "retrieval":
        theirs = last_json([args.reference, scripts / "retrieval.py", "--data", args.data] + common)
        report = BUILD / "retrieval.json"
        seconds, memory = whole_process([BUILD / "cli" / "hone", "eval", "--task", "retrieval", "--data", args.data, "--json",
                                         "--quiet"] + common, report)
        ours = json.loads(report.read_text())["scores"]
        return {"reference": 1 / theirs["seconds"], "hone": 1 / seconds, "reference_seconds": theirs["seconds"],
                "hone_seconds": seconds, "reference_ndcg@10": theirs["metrics"]["cosine_ndcg@10"],
                "hone_ndcg@10": ours["cosine_ndcg@10"], "reference_mb": theirs["peak_megabytes"], "hone_mb": memory}
    out = BUILD / "first"
    text = BUILD / "first.txt"
    text.write_text("A first sentence.\n")
    seconds, memory = whole_process([args.reference, scripts / "first_vector.py", *common, "--out", f"{out}.reference.npy"])
    own, own_memory = whole_process([BUILD / "cli" / "hone", "encode", *common, "--input", text, "--out", f"{out}.npy", "--quiet"])
    return {"reference": 1 / seconds, "hone": 1 / own, "reference_seconds": seconds, "hone_seconds": own,
            "reference_mb": memory, "hone_mb": own_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["train", "encode", "first", "retrieval"])
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--stsb", type=pathlib.Path, help="folder of the STS benchmark")
    parser.add_argument("--data", type=pathlib.Path, help="other training pairs, or a folder as in BEIR")
    parser.add_argument("--loss", choices=["cosine", "mnr", "cached-mnr"], default="cosine")
    parser.add_argument("--micro-tokens", type=int, default=2048, help="of hone's own cache, beside cached-mnr")
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
