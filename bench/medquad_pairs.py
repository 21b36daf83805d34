"""Training pairs of MedQuAD, each answer with its title in front, as retrieval evaluation joins them.

    python3 bench/medquad_pairs.py FOLDER OUT.tsv [--rows N] [--copies 1]

FOLDER has corpus.jsonl.gz, queries.jsonl.gz and qrels_train.tsv.gz. --rows keeps the first N judgements, --copies writes
each of them so many times: rows that are no negatives of each other. Texts are cut nowhere; a tab becomes a blank.
"""

import argparse
import gzip
import json
import pathlib


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from file


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--copies", type=int, default=1)
    args = parser.parse_args()
    answers = {row["_id"]: f"{row['title']} {row['text']}" for row in map(json.loads, lines(args.folder / "corpus.jsonl.gz"))}
    questions = {row["_id"]: row["text"] for row in map(json.loads, lines(args.folder / "queries.jsonl.gz"))}
    judged = [line.split("\t") for line in lines(args.folder / "qrels_train.tsv.gz")][1:][:args.rows]
    with open(args.out, "w", encoding="utf-8", newline="\n") as out:
        out.write("anchor\tpositive\n")
        for query, answer, _ in judged * args.copies:
            row = (questions[query], answers[answer])
            out.write("\t".join(text.replace("\t", " ") for text in row) + "\n")


if __name__ == "__main__":
    main()
