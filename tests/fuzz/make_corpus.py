"""Writes the seeds of the table readers below corpus/. The first byte says plain (p) or gzip (z), see table.h."""

import gzip
import pathlib

HERE = pathlib.Path(__file__).parent / "corpus"

JSONL = {
    "two_rows": b'{"text": "a", "score": 1.5}\n{"score": "2", "text": "b", "other": "c"}\n',
    "other_first": b'{"text": "a", "score": 1, "other": "x"}\n{"text": "b", "score": 2, "other": "y"}\n',
    "escapes": b'{"te\\u0078t": "\\ud83d\\ude00 \\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9", "label": -1e-3}',
    "nested": b'{"text": "a", "n": 0, "x": [1, {"y": [null, true, false, ""]}, []], "z": {}}',
    "blank_lines": b'\n \t\r\n{"text":"","score":0}\r\n\n',
    "bad_surrogate": b'{"text": "\\ud83d", "score": 1}',
    "bad_number": b'{"text": "a", "score": "1,5"}',
    "bad_literal": b'{"text": "a", "score": NaN}',
    "bad_kind": b'{"text": 5, "score": null}',
    "bad_utf8": b'{"text": "\xff\xfe", "score": 1}',
    "twice": b'{"text": "a", "text": "b", "score": 1}',
    "late_column": b'{"text": "a", "score": 1}\n{"text": "a", "score": 1, "another": "x"}\n',
    "missing": b'{"txt": "a"}',
    "open": b'{"text": "a", "score": 1',
    "deep": b'{"text": "a", "score": 1, "x": ' + b"[" * 70,
    "mark": b'\xef\xbb\xbf{"text": "a", "score": 1e400}',
    "vectors": b'{"text": "a", "score": 1, "v": [1, -2.5e-1]}\n{"v": [0, 3], "text": "b", "score": 2}\n',
    "vector_of_one": b'{"text": "a", "score": 1, "v": 3, "v_2": [1e-60, 3e38]}',
    "vector_ragged": b'{"text": "a", "score": 1, "v": [1, 2]}\n{"text": "a", "score": 1, "v": [1]}\n',
    "vector_kinds": b'{"text": "a", "score": 1, "v": [1, null, "2", [3], 1e99]}',
    "vector_empty": b'{"text": "a", "score": 1, "v": []}',
    "numbered": b'{"text": "a", "score": 1, "other": "x", "other_1": "y", "other12": "z"}',
    "numbered_twice": b'{"text": "a", "score": 1, "other_1": "y", "other1": "z"}',
    "numbered_late": b'{"text": "a", "score": 1}\n{"text": "a", "score": 1, "other_3": "x"}\n',
    "huge_number": b'{"text": "a", "score": ' + b"9" * 400 + b"}",
}
CSV = {
    "two_rows": b"text,score\na,1\nb,2.5\n",
    "quoted": b'score,text,other\r\n1,"a ""b"" c, d","x\ny"\r\n"2",,""\r\n',
    "only_some": b'"text","n"\n"a",1\n\n"b",2',
    "open_quote": b'text,score\n"a,1\nb,2\n',
    "stray_quote": b'text,score\na"b,1\n',
    "after_quote": b'text,score\n"a"b,1\n',
    "width": b"text,score\na,1,2\n",
    "bad_number": b"text,score\na,nan\n",
    "empty_number": b"text,score\na,\n",
    "bad_utf8": b"text,score\n\xc3\x28,1\n",
    "twice": b"text,text,score\na,b,1\n",
    "missing": b"a,b\n1,2\n",
    "mark": b"\xef\xbb\xbftext,label\na, +1e3 \n",
    "utf16": "text,score\na,1\n".encode("utf-16"),
    "header": b"text,score\n",
    "optional": b"score,text,another\n1,a,b\n",
    "vectors": b'text,score,v,v_1\na,1,"1, 2","[3.]"\nb,2,"[+4\n 5]",-6e0\n',
    "vector_bad": b'text,score,v\na,1,"1,,2"\n',
    "vector_open": b"text,score,v\na,1,[1 2\n",
    "vector_nan": b"text,score,v\na,1,1 nan\n",
    "numbered": b"text,score,other_2,other,other1\na,1,x,y,z\n",
    "numbered_twice": b"text,score,other_2,other02\na,1,x,y\n",
}
TSV = {
    "two_rows": b"text\tscore\na\t1\nb\t2.5\n",
    "quotes": b'score\ttext\tother\r\n1\t"a\t"\r\n\r\n-2\t\t\r\n',
    "width": b"text\tscore\na\n",
    "bad_number": b"text\tscore\na\tx\n",
    "bad_utf8": b"text\tscore\n\xed\xa0\x80\t1\n",
    "missing": b"text\nb\n",
    "only": b"n\ttext\n1\t",
    "mark": b"\xef\xbb\xbftext\tlabel\na\t0\n",
    "vectors": b"text\tscore\tv3\na\t1\t1 2,3\nb\t2\t[4,5 6]\n",
    "vector_ragged": b"text\tscore\tv3\na\t1\t1 2\nb\t2\t1 2 3\n",
    "vector_empty": b"text\tscore\tv\na\t1\t\n",
}


def main():
    for name, seeds in (("jsonl", JSONL), ("csv", CSV), ("tsv", TSV)):
        folder = HERE / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, content in seeds.items():
            (folder / seed).write_bytes(b"p" + content)
        packed = gzip.compress(next(iter(seeds.values())), mtime=0)
        (folder / "gzip").write_bytes(b"z" + packed)
        (folder / "gzip_two").write_bytes(b"z" + packed + packed)
        (folder / "gzip_cut").write_bytes(b"z" + packed[:-9])
        (folder / "gzip_wrong").write_bytes(b"z" + next(iter(seeds.values())))


if __name__ == "__main__":
    main()
