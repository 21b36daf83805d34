"""300 awkward texts and the vectors the reference gives them, for tests/fixtures/minilm.

    python awkward.py --model DIR --out FOLDER --threads 1

Writes FOLDER/awkward.jsonl ({"text": ...} a line) and FOLDER/awkward.safetensors with `vectors` F32 [300,dim]: unit
vectors, encoded one text at a time, so that nothing is padded.
"""

import json

import common
from awkward_texts import awkward_texts


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--out", required=True, type=common.pathlib.Path)
    args = common.parse(arguments)
    import torch
    from safetensors.torch import save_file

    texts = awkward_texts()
    vectors = common.load(args.model, args.threads).encode(texts, batch_size=1, convert_to_tensor=True)
    vectors = torch.nn.functional.normalize(vectors.double(), dim=1).float()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    (args.out / "awkward.jsonl").write_bytes(lines.encode("utf-8"))
    save_file({"vectors": vectors}, args.out / "awkward.safetensors")
    common.report(args, texts=len(texts), shape=list(vectors.shape))


if __name__ == "__main__":
    main()
