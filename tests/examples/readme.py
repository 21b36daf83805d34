"""readme.py README FOLDER: runs the commands of a page's ```sh blocks in FOLDER and compares what they print with the page.

Run are blocks that a ```text block follows: that is what the page says they print. A line of it must be found in what was
printed, in order; "..." stands for any lines between, at the end of a line for the rest of it. Numbers may differ between processors: those with a decimal point by
0.1, times and sizes at will. Exit code 1 and one line where a command fails or a line is missing.
"""
import re
import subprocess
import sys

BODY = r"((?:(?!```).*\n)*)"
BLOCK = re.compile(r"^```sh\n" + BODY + r"```\n+```text\n" + BODY + "```$", re.M)
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
TOLERANCE = 0.1


def same(expected, found):
    """Whether a printed line is the page's, but for its numbers."""
    words, others = NUMBER.sub("#", expected).split(), NUMBER.sub("#", found).split()
    if words[-1:] == ["..."]:
        words.pop()
        others = others[:len(words)]
    if words != others:
        return False
    for a, b in zip(NUMBER.findall(expected), NUMBER.findall(found)):
        if "." in a and "e" not in a and abs(float(a) - float(b)) > max(TOLERANCE, 0.5 * abs(float(a))):
            return False
    return True


def check(commands, expected, folder):
    run = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        return f"exit code {run.returncode} of: {commands}{run.stdout}"
    printed = iter(run.stdout.splitlines())
    for line in expected.splitlines():
        if line == "...":
            continue
        if not any(same(line, other) for other in printed):
            return f"not printed (or not in this order): {line}\nprinted was:\n{run.stdout}"
    return None


def main():
    page, folder = sys.argv[1:]
    blocks = BLOCK.findall(open(page, encoding="utf-8").read())
    if not blocks:
        sys.exit(f"{page}: no ```sh block with a ```text block after it")
    for commands, expected in blocks:
        problem = check(commands, expected, folder)
        if problem:
            sys.exit(f"{page}: {problem}")
    print(f"{page}: {len(blocks)} blocks of commands print what the page says")


main()
