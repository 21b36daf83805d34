"""From nothing to one vector on disk, with the reference. To be timed from outside, as a whole process:

    time python first_vector.py --model DIR --out vector.npy [--text "A sentence."]

Does what a user's shortest script does: import, load, encode, save. Prints one JSON line with the peak memory.
"""

import common


def main():
    arguments = common.parser(__doc__)
    arguments.add_argument("--out", required=True, type=common.pathlib.Path)
    arguments.add_argument("--text", default="A man is playing a guitar.")
    args = common.parse(arguments)
    import numpy

    numpy.save(args.out, common.load(args.model, args.threads).encode([args.text]))
    common.report(args)


if __name__ == "__main__":
    main()
