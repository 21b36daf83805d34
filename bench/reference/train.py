"""Rows per second of the reference's trainer on the CPU: dropout on, float32.

    python train.py --model DIR --data stsb/train.en.tsv.gz [--batch-size 32] [--steps 20] [--warm-up 3] [--threads N]
    python train.py --model DIR --data nli/train_pairs.tsv.gz --loss mnr --batch-size 64
    python train.py --model DIR --data nli/train_pairs.tsv.gz --loss cached-mnr --batch-size 1024 [--mini-batch-size 32]

Rows are shuffled by --seed. Steps are timed from the end of one to the end of the next, after --warm-up of them, so
tokenizing, collating, forward, backward, clipping and AdamW are all inside and loading is not. Prints one JSON line.
"""

import random

import common


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--data", required=True, type=common.pathlib.Path)
    arguments.add_argument("--batch-size", type=int, default=32)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--warm-up", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=42)
    common.add_loss_options(arguments)
    args = common.parse(arguments)
    pairs = common.read_training_rows(args.data, args.loss)
    order = list(range(common.count(pairs)))
    random.Random(args.seed).shuffle(order)
    order = order[: (args.steps + args.warm_up) * args.batch_size]
    if len(order) < (args.steps + args.warm_up) * args.batch_size:
        raise SystemExit(f"{args.data}: {len(order)} rows are too few for the steps asked for")
    pairs = {name: [column[i] for i in order] for name, column in pairs.items()}

    done, clock = 0, None

    def step_ended():
        nonlocal done, clock
        done += 1
        if done == args.warm_up:
            clock = common.Clock()
        elif done == args.warm_up + args.steps:
            clock = clock.stop()

    model = common.load(args.model, args.threads)
    common.train(model, pairs, args.batch_size, 0.0, seed=args.seed, on_step_end=step_ended, loss=args.loss,
                 mini_batch_size=args.mini_batch_size)
    seconds, stolen = clock
    common.report(args, pairs_per_second=round(args.steps * args.batch_size / seconds, 3), steps=args.steps,
                  batch_size=args.batch_size, loss=args.loss, seconds=round(seconds, 3), stolen=round(stolen, 4))


if __name__ == "__main__":
    main()
