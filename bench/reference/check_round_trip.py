"""Does the reference give hone's vectors? check_round_trip.py MODEL TEXTS.txt VECTORS.npy (written by `hone encode`)."""
import sys

import common
import numpy as np

model = common.load(sys.argv[1])
texts = open(sys.argv[2], encoding="utf-8").read().split("\n")[:-1]
found = np.load(sys.argv[3])
expected = np.concatenate([model.encode([t]) for t in texts])
unit = lambda m: m / np.linalg.norm(m, axis=1, keepdims=True)
worst = float(np.abs(unit(found) - unit(expected)).max())
print(f"{len(texts)} texts, largest difference of unit vectors {worst:.2e}")
sys.exit(worst > 2e-6)
