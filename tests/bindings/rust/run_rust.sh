#!/usr/bin/env bash
# run_rust.sh PREFIX: hone from Rust: src/main.rs against the library in PREFIX (../common.sh says what else it needs).
# First, the declarations of src/ffi.rs are compared with hone.h: every name must be there, and sizes, places of fields
# and numbers must be those of a C compiler.

source "$(dirname -- "${BASH_SOURCE[0]}")/../common.sh"
# The cargo that hone was built with, where ctest says which, with the rustc beside it.
if [[ -n ${CARGO:-} ]]; then PATH=$(dirname -- "$CARGO"):$PATH; fi
need cargo cc

grep -oE 'fn hone_[a-z0-9_]+' "$here/src/ffi.rs" | cut -d ' ' -f 2 | sort >"$work/declared"
grep -oE '\<hone_[a-z0-9_]+\(' "$prefix/include/hone.h" | tr -d '(' | sort -u >"$work/header"
unknown=$(comm -23 "$work/declared" "$work/header")
[[ -s $work/declared && -z $unknown ]] || die "src/ffi.rs declares what hone.h does not have: ${unknown//$'\n'/ }"

# Built in a copy: the checkout stays as it is.
cp -r -- "$here/Cargo.toml" "$here/Cargo.lock" "$here/build.rs" "$here/src" "$work/"
export HONE_LIB_DIR=$library_folder
(cd -- "$work" && cargo build --quiet --locked --offline --target-dir "$work/target")
check=$work/target/debug/hone-check

cc -std=c99 -Wall -Wextra -pedantic -Werror "$here/layout.c" -I"$prefix/include" -o "$work/layout"
"$work/layout" >"$work/layout.c.txt"
"$check" layout >"$work/layout.rust.txt"
diff "$work/layout.c.txt" "$work/layout.rust.txt" || die 'src/ffi.rs is not laid out as hone.h is'

mkdir "$work/out"
"$check" "$model" "$train" "$dev" "$work/out"
