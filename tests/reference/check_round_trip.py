"""Does the reference read a folder that hone wrote, and get the same vectors from it?

    python check_round_trip.py MODEL VECTORS TEXTS

MODEL    a model's folder written by hone
VECTORS  what `hone encode --model MODEL --input TEXTS --out VECTORS` wrote: .npy or .safetensors
TEXTS    the texts: .txt, one a line, or .jsonl with the key "text"

Needs sentence-transformers. The reference is held to 32-bit floats and encodes one text at a time. Vectors are brought
to unit length before they are compared, as their scale differs from model to model. Exit code 0 when no number differs
by more than 2e-6, else 1.
"""

import json
import pathlib
import sys

import numpy
import torch
from sentence_transformers import SentenceTransformer

LIMIT = 2e-6


def read_texts(path):
    lines = path.read_bytes().decode("utf-8").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [json.loads(line)["text"] for line in lines] if path.suffix == ".jsonl" else lines


def read_vectors(path):
    if path.suffix == ".npy":
        return numpy.load(path)
    from safetensors.numpy import load_file

    tensors = [t for t in load_file(path).values() if t.ndim == 2]
    if len(tensors) != 1:
        sys.exit(f"{path}: {len(tensors)} matrices, expected one")
    return tensors[0]


def unit(vectors):
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, vectors_path, texts_path = map(pathlib.Path, sys.argv[1:])
    texts, ours = read_texts(texts_path), read_vectors(vectors_path)
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}).float().eval()
    theirs = model.encode(texts, batch_size=1, convert_to_numpy=True)
    if ours.shape != theirs.shape:
        sys.exit(f"{vectors_path}: {ours.shape} numbers, expected {theirs.shape}")
    worst = numpy.abs(unit(ours.astype(numpy.float64)) - unit(theirs.astype(numpy.float64))).max(axis=1)
    row = int(worst.argmax())
    print(f"{len(texts)} texts, largest difference {worst[row]:.2e} (text {row + 1}), allowed {LIMIT:.0e}")
    sys.exit(0 if worst[row] <= LIMIT else 1)


if __name__ == "__main__":
    main()
