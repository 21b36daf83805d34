"""The reference's InformationRetrievalEvaluator on a folder of BEIR layout; time the whole process from outside.

    python retrieval.py --model DIR --data FOLDER [--split test] [--batch-size 32] [--passages N] [--threads 2]

A passage is its title, a blank and its text. --passages keeps the N passages that come first in the file beside those
that are judged relevant. Prints one JSON line: every metric of the evaluator, and the seconds of the evaluation alone.
"""

import gzip
import json

import common


def opened(folder, *names):
    """The first of these files that is there, plain or gzip."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    raise SystemExit(f"{folder}: none of {', '.join(names)}")


def read(folder, split):
    with opened(folder, "corpus.jsonl") as file:
        rows = [json.loads(line) for line in file]
    corpus = {row["_id"]: (row["title"] + " " if row.get("title") else "") + row["text"] for row in rows}
    with opened(folder, "queries.jsonl") as file:
        queries = {row["_id"]: row["text"] for row in map(json.loads, file)}
    relevant = {}
    with opened(folder, f"qrels/{split}.tsv", f"qrels_{split}.tsv") as file:
        next(file)
        for line in file:
            query, passage, score = line.rstrip("\n").split("\t")
            if float(score) > 0:
                relevant.setdefault(query, set()).add(passage)
    return corpus, queries, relevant


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--data", required=True, type=common.pathlib.Path)
    arguments.add_argument("--split", default="test")
    arguments.add_argument("--batch-size", type=int, default=32)
    arguments.add_argument("--passages", type=int)
    args = common.parse(arguments)
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    corpus, queries, relevant = read(args.data, args.split)
    if args.passages is not None:
        kept = set(list(corpus)[:args.passages]).union(*relevant.values())
        corpus = {key: text for key, text in corpus.items() if key in kept}
    model = common.load(args.model, args.threads)
    evaluator = InformationRetrievalEvaluator(queries, corpus, relevant, batch_size=args.batch_size, write_csv=False)
    clock = common.Clock()
    metrics = evaluator(model)
    seconds, stolen = clock.stop()
    common.report(args, metrics=metrics, primary=evaluator.primary_metric, batch_size=args.batch_size,
                  queries=len(evaluator.queries), passages=len(corpus), seconds=round(seconds, 3),
                  stolen=round(stolen, 4))


if __name__ == "__main__":
    main()
