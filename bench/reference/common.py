"""What the scripts beside this one share: threads, the model held to float32, data, the trainer, the cost of a run.

Threads are set before torch is imported, because its pools read the environment once. Nothing is fetched: a model is a
folder. transformers 5 loads a checkpoint in the dtype it was stored in, so float32 is forced.
"""

import argparse
import csv
import gzip
import json
import os
import pathlib
import resource
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"


def parser(description):
    result = argparse.ArgumentParser(description=description.split("\n")[0])
    result.add_argument("--model", required=True, type=pathlib.Path, help="folder of the model")
    result.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all allowed here")
    return result


def parse(arguments):
    """Parses the command line and holds every pool of threads to --threads. Call it before importing torch."""
    args = arguments.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = str(args.threads)
    return args


def load(folder, threads=None, dropout=None):
    """The model on the CPU in float32. dropout: a probability to use in place of the model's own."""
    import torch
    from sentence_transformers import SentenceTransformer

    if threads is not None:
        torch.set_num_threads(threads)
    config = {} if dropout is None else {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True,
                                model_kwargs={"dtype": torch.float32}, config_kwargs=config).float()
    assert all(p.dtype == torch.float32 for p in model.parameters())
    return model


def read_rows(path):
    """Rows of a .tsv or .tsv.gz with a header line and no quoting."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_pairs(path):
    """sentence1, sentence2 and label of each row: an STS file (0-5 becomes 0-1), or anchor/positive pairs (label 1)."""
    rows = read_rows(path)
    if "anchor" in rows[0]:
        return {"sentence1": [r["anchor"] for r in rows], "sentence2": [r["positive"] for r in rows],
                "label": [1.0] * len(rows)}
    return {"sentence1": [r["sentence1"] for r in rows], "sentence2": [r["sentence2"] for r in rows],
            "label": [float(r["score"]) / 5 for r in rows]}


def add_loss_options(arguments):
    arguments.add_argument("--loss", choices=("cosine", "mnr", "cached-mnr"), default="cosine")
    arguments.add_argument("--mini-batch-size", type=int, default=32, help="texts at a time in cached-mnr")


def read_training_rows(path, loss):
    """The columns that `loss` trains on: those of read_pairs for cosine, else anchor, positive and any negative."""
    if loss == "cosine":
        return read_pairs(path)
    rows = read_rows(path)
    return {name: [r[name] for r in rows] for name in ("anchor", "positive", "negative") if name in rows[0]}


def count(columns):
    return len(next(iter(columns.values())))


def make_loss(model, name, mini_batch_size):
    from sentence_transformers.sentence_transformer import losses

    if name == "cached-mnr":
        return losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=mini_batch_size)
    return {"cosine": losses.CosineSimilarityLoss, "mnr": losses.MultipleNegativesRankingLoss}[name](model)


def train(model, pairs, batch_size, warmup_ratio, seed=42, max_steps=-1, on_loss=None, on_step_end=None, loss="cosine",
          mini_batch_size=32):
    """One epoch (or max_steps) of the reference's own trainer and loss, rows in the order given.

    pairs are columns in the order in which the loss takes them, a label last. AdamW at 2e-5, linear schedule, clipping
    at 1, no weight decay. on_loss gets the loss of each batch as a float, on_step_end is called without arguments.
    Returns the trainer's log: one entry a step with grad_norm and learning_rate when on_loss is given.
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from torch.utils.data import SequentialSampler
    from transformers import PrinterCallback, TrainerCallback

    class InOrder(SentenceTransformerTrainer):
        def get_batch_sampler(self, dataset, **options):
            return DefaultBatchSampler(SequentialSampler(dataset), **options)

        def compute_loss(self, *arguments, **options):
            value = super().compute_loss(*arguments, **options)
            if on_loss is not None:
                on_loss(value.item())
            return value

    class StepEnd(TrainerCallback):
        def on_step_end(self, *arguments, **options):
            if on_step_end is not None:
                on_step_end()

    with tempfile.TemporaryDirectory() as folder:
        settings = SentenceTransformerTrainingArguments(
            output_dir=folder, per_device_train_batch_size=batch_size, num_train_epochs=1, max_steps=max_steps,
            learning_rate=2e-5, lr_scheduler_type="linear", warmup_steps=warmup_ratio, weight_decay=0.0,
            max_grad_norm=1.0, seed=seed, use_cpu=True, save_strategy="no", eval_strategy="no", report_to="none",
            logging_strategy="no" if on_loss is None else "steps", logging_steps=1, disable_tqdm=True)
        trainer = InOrder(model=model, args=settings, train_dataset=Dataset.from_dict(pairs),
                          loss=make_loss(model, loss, mini_batch_size), callbacks=[StepEnd()])
        trainer.remove_callback(PrinterCallback)  # standard output is for results
        trainer.train()
        return [entry for entry in trainer.state.log_history if "grad_norm" in entry]


class Clock:
    """Seconds since its making, and the share of the machine's processor time that other guests took meanwhile."""

    def __init__(self):
        self.start, self.ticks = time.perf_counter(), self._ticks()

    @staticmethod
    def _ticks():
        with open("/proc/stat") as file:
            return [int(n) for n in file.readline().split()[1:9]]

    def stop(self):
        seconds = time.perf_counter() - self.start
        spent = [now - before for now, before in zip(self._ticks(), self.ticks)]
        return seconds, spent[7] / max(1, sum(spent))


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(args, **values):
    """One JSON line: what was measured, with the threads and versions it was measured with."""
    import sentence_transformers
    import torch
    import transformers

    print(json.dumps(values | {
        "threads": args.threads, "peak_megabytes": round(peak_megabytes(), 1),
        "sentence_transformers": sentence_transformers.__version__, "transformers": transformers.__version__,
        "torch": torch.__version__}), flush=True)
