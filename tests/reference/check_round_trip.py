"""Do hone and the reference read each other's folders, and get the same vectors from them?

    python check_round_trip.py --hone PROGRAM --data PAIRS --steps N --texts TEXTS MODEL...

Each MODEL is tuned by hone for a few steps. Then

    there   the reference loads the folder that hone wrote, and both encode TEXTS with it;
    back    the reference saves what it loaded, in its own newer schema; both encode TEXTS with that.

PAIRS    labelled pairs for `hone train`
TEXTS    .jsonl with the key "text"

Needs sentence-transformers 6.2. The reference is held to 32-bit floats and encodes one text at a time. Vectors are
brought to unit length before they are compared, as their scale differs from model to model. Where the reference does
not get its own vectors back from its own folder, hone must refuse that folder. Exit code 0 when no number differs by more
than 2e-6, else 1.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import torch
from sentence_transformers import SentenceTransformer

LIMIT = 2e-6


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hone", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--texts", required=True, type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    return parser.parse_args()


def hone(program, command, **options):
    """What it said when it failed, else nothing."""
    arguments = [text for name, value in options.items() for text in ("--" + name, str(value))]
    run = subprocess.run([program, command, "--quiet", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return run.stderr.decode().strip() if run.returncode != 0 else ""


def load(folder):
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}).float().eval()


def unit(vectors):
    vectors = vectors.astype(numpy.float64)
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def difference(ours, theirs):
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return numpy.abs(unit(ours) - unit(theirs)).max()


def compare(program, folder, texts_path, theirs):
    """How far hone's vectors of this folder are from `theirs`, in words, and whether that is near enough."""
    out = folder.with_suffix(".npy")
    message = hone(program, "encode", model=folder, input=texts_path, out=out)
    if message:
        print(message)
        return "refused", False
    found = difference(numpy.load(out), theirs)
    return f"{found:.1e}", found <= LIMIT


def schema(folder):
    types = [module["type"] for module in json.loads((folder / "modules.json").read_text())]
    return "old" if all(t.startswith("sentence_transformers.models.") for t in types) else "new"


def main():
    args = parse()
    texts = [json.loads(line)["text"] for line in args.texts.read_bytes().splitlines()]
    print(f"{len(texts)} texts, {args.steps} steps, allowed {LIMIT:.0e}")
    failed = False
    for start in args.models:
        with tempfile.TemporaryDirectory() as scratch:
            tuned, saved = pathlib.Path(scratch) / "tuned", pathlib.Path(scratch) / "saved"
            message = hone(args.hone, "train", model=start, data=args.data, out=tuned, steps=args.steps)
            if message:
                sys.exit(message)
            model = load(tuned)
            vectors = model.encode(texts, batch_size=1, convert_to_numpy=True)
            there, good = compare(args.hone, tuned, args.texts, vectors)
            model.save(str(saved), create_model_card=False)
            assert (schema(tuned), schema(saved)) == ("old", "new"), start
            again = load(saved).encode(texts, batch_size=1, convert_to_numpy=True)
            back, equal = compare(args.hone, saved, args.texts, again)
            own = difference(again, vectors)
            if own > LIMIT:
                back, equal = f"{back} (the reference itself is off by {own:.1e})", back == "refused"
        good &= equal
        failed |= not good
        print(f"{start.name:16} there {there}  back {back}{'' if good else '  WRONG'}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
