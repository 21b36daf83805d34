# What the scripts that test an installed hone from outside share. Not run by itself.
#
#   run_X.sh PREFIX    PREFIX: where hone was installed
#
# Environment: HONE_MODEL, a Sentence Transformers folder of all-MiniLM-L6-v2; HONE_DATA, a folder of data sets: training
# pairs are those of the STS benchmark where it has them, else those of examples/data. Exit code 77: skipped, a line
# says why.
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used there

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[1]}")" && pwd)
root=$(cd -- "$here" && while [[ ! -d examples/data ]]; do cd ..; done && pwd)
name=$(basename -- "$0" .sh)

die() {
  printf '%s: %s\n' "$name" "$*" >&2
  exit 1
}
# In the form of GoogleTest, from which scripts/test gathers what was skipped and why.
skip() {
  printf '%s: Skipped\n%s\n[  SKIPPED ] %s (0 ms)\n' "$(basename -- "$0")" "$*" "installed_${name#run_}"
  exit 77
}
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "no $tool on this machine"
  done
}

[[ $# -eq 1 ]] || die 'one argument expected: the prefix that hone is installed in'
[[ -f $1/include/hone.h ]] || die "$1: no include/hone.h in it, a prefix that hone is installed in expected"
prefix=$(cd -- "$1" && pwd)
library=$(find "$prefix" -name libhone.so -print -quit)
[[ -n $library ]] || skip "$1 has no libhone.so"
library_folder=$(dirname -- "$library")

model=${HONE_MODEL:-}
[[ -n $model ]] || skip 'HONE_MODEL does not name a folder of all-MiniLM-L6-v2: nothing of this is tested'
[[ -d $model ]] || die "HONE_MODEL: $model is not a folder"
model=$(cd -- "$model" && pwd)
train=$root/examples/data/train.tsv dev=$root/examples/data/test.tsv
if [[ -n ${HONE_DATA:-} && -f $HONE_DATA/stsb/train.en.tsv.gz ]]; then
  train=$(cd -- "$HONE_DATA/stsb" && pwd)/train.en.tsv.gz
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
