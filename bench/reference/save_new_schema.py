"""Loads a model and saves it as 6.2 does (new schema): save_new_schema.py MODEL OUT."""
import sys

import common

common.load(sys.argv[1]).save_pretrained(sys.argv[2])
