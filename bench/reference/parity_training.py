"""30 training steps of the reference that another implementation can repeat number by number.

    python parity_training.py --model DIR --train stsb/train.en.tsv.gz --test stsb/test.en.tsv.gz --out FILE --threads 1

The first 960 rows in their order, batches of 32, dropout 0, AdamW at 2e-5 without weight decay, linear schedule with
10 % warm-up (so the first rate is 0), clipping at 1. Writes FILE (.safetensors):

    loss, lr, grad_norm   F64 [30]      of each step; the norm is the one before clipping
    vectors               F32 [64,384]  unit vectors of the first 64 sentences of the test rows (column sentence1) after
                                        the last step, encoded one at a time
    exact.loss            F64 [30]      the same run in 64-bit floats
    error.vectors         F64 [1]       largest difference of any number in `vectors` from that run's
"""

import common

ROWS, BATCH, TEXTS = 960, 32, 64


def run(args, pairs, texts, double):
    import numpy
    import torch

    model = common.load(args.model, args.threads, dropout=0.0)
    if double:
        model = model.double()
    losses = []
    log = common.train(model, pairs, BATCH, 0.1, on_loss=losses.append)
    assert len(losses) == len(log) == ROWS // BATCH
    model.eval()
    vectors = numpy.concatenate([model.encode([text]) for text in texts]).astype(numpy.float64)
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    series = {"loss": losses, "lr": [e["learning_rate"] for e in log], "grad_norm": [e["grad_norm"] for e in log]}
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in series.items()}, torch.tensor(vectors)


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--train", required=True, type=common.pathlib.Path)
    arguments.add_argument("--test", required=True, type=common.pathlib.Path)
    arguments.add_argument("--out", required=True, type=common.pathlib.Path)
    args = common.parse(arguments)
    from safetensors.torch import save_file

    pairs = {name: column[:ROWS] for name, column in common.read_pairs(args.train).items()}
    texts = common.read_pairs(args.test)["sentence1"][:TEXTS]
    tensors, vectors = run(args, pairs, texts, double=False)
    exact, exact_vectors = run(args, pairs, texts, double=True)
    error = (vectors.float() - exact_vectors).abs().max().reshape(1)
    tensors |= {"vectors": vectors.float(), "exact.loss": exact["loss"], "error.vectors": error}
    save_file(tensors, args.out)
    common.report(args, first_loss=tensors["loss"][0].item(), last_loss=tensors["loss"][-1].item(),
                  largest_relative_error_of_loss=((tensors["loss"] - exact["loss"]) / exact["loss"]).abs().max().item(),
                  largest_error_of_vectors=error.item())


if __name__ == "__main__":
    main()
