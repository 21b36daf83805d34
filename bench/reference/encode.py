"""Sentences per second of the reference's encode on the CPU, at several batch sizes; the best is what counts.

    python encode.py --model DIR --data stsb/test.en.tsv.gz stsb/dev.en.tsv.gz [--batch-sizes 16 32 64 128]

All sentences of both columns are encoded, repeated ones too; the reference sorts them by length itself. Prints one JSON
line.
"""

import common


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--data", required=True, type=common.pathlib.Path, nargs="+")
    arguments.add_argument("--batch-sizes", type=int, nargs="+", default=[16, 32, 64, 128])
    args = common.parse(arguments)
    texts = []
    for path in args.data:
        pairs = common.read_pairs(path)
        texts += pairs["sentence1"] + pairs["sentence2"]
    model = common.load(args.model, args.threads)
    model.encode(texts[:256], batch_size=32)
    runs = []
    for size in args.batch_sizes:
        clock = common.Clock()
        model.encode(texts, batch_size=size)
        seconds, stolen = clock.stop()
        runs.append({"batch_size": size, "sentences_per_second": round(len(texts) / seconds, 2),
                     "seconds": round(seconds, 3), "stolen": round(stolen, 4)})
    best = max(runs, key=lambda run: run["sentences_per_second"])
    common.report(args, sentences_per_second=best["sentences_per_second"], batch_size=best["batch_size"],
                  stolen=best["stolen"], sentences=len(texts), runs=runs)


if __name__ == "__main__":
    main()
