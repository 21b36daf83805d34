#!/usr/bin/env bash
# run_readme.sh PREFIX: the commands of README.md and docs/pairs.md, run as written in an empty folder that holds what the
# page says is there, print what the page says they print. ../bindings/common.sh says what it needs.

source "$(dirname -- "${BASH_SOURCE[0]}")/../bindings/common.sh"
need python3
export PATH=$prefix/bin:$PATH
for page in README.md docs/pairs.md; do
  folder=$work/${page##*/}
  mkdir -- "$folder"
  ln -s -- "$root/examples" "$folder/examples"
  ln -s -- "$root"/examples/data/* "$folder"
  ln -s -- "$model" "$folder/all-MiniLM-L6-v2"
  python3 "$here/readme.py" "$root/$page" "$folder" || die "$page and what hone prints differ"
done
