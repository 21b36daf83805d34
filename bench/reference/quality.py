"""Scores of the reference on the STS benchmark's test rows after one epoch, seed by seed in hone's row order.

    epoch_order SEED 1 5749 > ORDERS/SEED.txt         # hone's own, built with the benchmarks
    python quality.py --model DIR --train stsb/train.en.tsv.gz --test stsb/test.en.tsv.gz --orders ORDERS --seeds 3
    python quality.py --model DIR --train nli/train_pairs.tsv.gz --test stsb/test.en.tsv.gz --orders ORDERS --loss mnr \
        --batch-size 64

Seeds are 1 to --seeds. AdamW at 2e-5, 10 % warm-up, linear schedule, the model's own dropout. The order of the rows is
read from a file, one row index a line, so that runs of both are paired in order; dropout differs. Prints a JSON line a
seed and one with the mean.
"""

import statistics

import common


def read_order(path, rows):
    order = [int(line) for line in path.read_text().split()]
    if sorted(order) != list(range(rows)):
        raise SystemExit(f"{path}: found {len(order)} numbers, expected each of 0 to {rows - 1} once")
    return order


def score(model, pairs):
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator

    evaluator = EmbeddingSimilarityEvaluator(pairs["sentence1"], pairs["sentence2"], pairs["label"], batch_size=32,
                                             main_similarity="cosine", write_csv=False)
    return float(evaluator(model.eval())["spearman_cosine"])


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--train", required=True, type=common.pathlib.Path)
    arguments.add_argument("--test", required=True, type=common.pathlib.Path)
    arguments.add_argument("--orders", required=True, type=common.pathlib.Path, help="folder with SEED.txt")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--batch-size", type=int, default=32)
    common.add_loss_options(arguments)
    args = common.parse(arguments)
    train, test = common.read_training_rows(args.train, args.loss), common.read_pairs(args.test)
    seeds = range(1, args.seeds + 1)
    orders = {seed: read_order(args.orders / f"{seed}.txt", common.count(train)) for seed in seeds}
    before, scores = None, []
    for seed in seeds:
        model = common.load(args.model, args.threads)
        if before is None:
            before = score(model, test)
        clock = common.Clock()
        rows = {name: [column[i] for i in orders[seed]] for name, column in train.items()}
        common.train(model, rows, args.batch_size, 0.1, seed=seed, loss=args.loss,
                     mini_batch_size=args.mini_batch_size)
        seconds, stolen = clock.stop()
        scores.append(score(model, test))
        common.report(args, seed=seed, loss=args.loss, batch_size=args.batch_size, spearman_cosine=scores[-1],
                      seconds=round(seconds, 1), stolen=round(stolen, 4))
    common.report(args, before=before, mean=statistics.fmean(scores), lowest=min(scores), highest=max(scores))


if __name__ == "__main__":
    main()
