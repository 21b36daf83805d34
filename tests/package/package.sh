#!/usr/bin/env bash
# tests/package/package.sh CONCERN: one test of what is installed; CMakeLists.txt beside it says what the variables hold.
# Exits 77, skipped, where a tool of the concern is missing.

set -euo pipefail
export LC_ALL=C.UTF-8
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd -- "$here/../.." && pwd)
: "${BUILD:?}" "${TREE:?}" "${WORK:?}" "${LIBDIR:?}" "${CC:?}" "${CXX:?}" "${CMAKE:?}" "${NM:?}" "${READELF:?}"
: "${STRIP:?}" "${RUSTC:?}"

concern=${1:?a concern}
lib=$TREE/$LIBDIR
work=$WORK/$concern
model=$source_root/tests/fixtures/models/mean-gelu
export PKG_CONFIG_PATH=$lib/pkgconfig
unset LD_LIBRARY_PATH

fail() {
  printf '%s: %s\n' "$concern" "$*" >&2
  exit 1
}
needs() {
  command -v "$1" >/dev/null || {
    printf '%s: no %s here\n' "$concern" "$1"
    exit 77
  }
}
# The words that pkg-config prints, in the array `flags`.
flags_of() { read -ra flags <<<"$(pkg-config "$@")"; }

# self_contained PROGRAM: it runs with nothing of ours installed, and needs no executable stack.
self_contained() {
  local other size
  other=$("$READELF" -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|ld-linux[-a-z0-9_]*)\.so' || true)
  [[ -z $other ]] || fail "${1##*/} needs ${other//$'\n'/ }, expected only libstdc++, libgcc_s, libm and libc"
  "$READELF" -lW "$1" | grep 'GNU_STACK.* RW  *0' >/dev/null || fail "${1##*/} has no GNU_STACK header that forbids execution"
  "$STRIP" -o "$work/stripped" "$1"
  size=$(stat -c %s "$work/stripped")
  printf '%s: %s, stripped: %d bytes\n' "$concern" "${1##*/}" "$size"
  [[ $size -lt 30000000 ]] || fail "stripped size $size bytes, expected less than 30000000"
}

# --- The concerns -------------------------------------------------------------------------------------------------------

install_tree() {
  rm -rf -- "$TREE"
  "$CMAKE" --install "$BUILD" --prefix "$TREE" >"$work/log"
  # Nothing is found by the place it was built at.
  if grep -rlF -e "$BUILD" -e "$source_root" "$lib/pkgconfig" "$lib/cmake"; then fail 'the files above name the build tree'; fi
}

# What both libraries export is the list, and the header declares the list.
symbols() {
  local library
  sed -n 's/^\(hone_[a-z_]*\) .*/\1/p' "$source_root/capi/hone.symbols" | sort >"$work/list"
  sed -n 's/^HONE_API .*[ *]\(hone_[a-z_]*\)(.*/\1/p' "$TREE/include/hone.h" | sort >"$work/header"
  diff "$work/list" "$work/header" || fail 'capi/hone.symbols (<) and hone.h (>) differ'
  "$NM" -D --defined-only "$lib/libhone.so" | sed -n 's/.* T \(.*\)@@HONE_.*/\1/p' | sort >"$work/shared"
  diff "$work/list" "$work/shared" || fail 'capi/hone.symbols (<) and the exports of libhone.so (>) differ'
  library=$("$NM" -D --defined-only "$lib/libhone.so" | grep -vE ' (T hone_.*@@HONE_|A HONE_)' || true)
  [[ -z $library ]] || fail "libhone.so also exports $library"
  [[ -e $lib/libhone.a ]] || return 0
  "$NM" --extern-only --defined-only "$lib/libhone.a" | awk 'NF == 3 { print $3 }' | sort >"$work/static"
  diff "$work/list" "$work/static" || fail 'capi/hone.symbols (<) and the global names of libhone.a (>) differ'
  # A name that is only looked for could be a program's own.
  "$NM" --undefined-only "$lib/libhone.a" | awk '$1 == "w" { print $2 }' |
    grep -E 'tbb|TBB|RML|scalable|hwy|zlib' | grep -v '^hone_absent_' &&
    fail 'libhone.a looks for the names above in a program that links it'
  return 0
}

header() {
  local standard
  printf '#include <hone.h>\nint main(void) { return HONE_OK; }\n' >"$work/use.c"
  for standard in c99 c17; do
    "$CC" -std=$standard -pedantic -Wall -Wextra -Werror -I"$TREE/include" -fsyntax-only "$work/use.c"
  done
  for standard in c++17 c++20; do
    "$CXX" -std=$standard -pedantic -Wall -Wextra -Werror -I"$TREE/include" -fsyntax-only -x c++ "$work/use.c"
  done
}

pkg_config() {
  needs pkg-config
  local flags
  flags_of --cflags --libs hone
  "$CC" -std=c99 "$here/use.c" "${flags[@]}" -Wl,-rpath,"$lib" -o "$work/shared"
  "$work/shared" "$model"
}

# Also by the way for people who have the static library alone.
pkg_config_static() {
  needs pkg-config
  local flags
  flags_of --cflags --libs hone-static
  "$CC" -std=c99 "$here/use.c" "${flags[@]}" -o "$work/static"
  self_contained "$work/static"
  "$work/static" "$model"
  mkdir -p "$work/tree/$LIBDIR"
  cp -r -- "$TREE/include" "$work/tree"
  cp -r -- "$lib/libhone.a" "$lib/pkgconfig" "$work/tree/$LIBDIR"
  export PKG_CONFIG_PATH=$work/tree/$LIBDIR/pkgconfig
  flags_of --static --cflags --libs hone
  "$CC" -std=c99 -Wl,--gc-sections "$here/use.c" "${flags[@]}" -o "$work/alone"
  self_contained "$work/alone"
  "$work/alone" "$model"
}

cmake() {
  "$CMAKE" -S "$here/consumer" -B "$work/build" -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$TREE" >"$work/log"
  "$CMAKE" --build "$work/build" >>"$work/log" || { cat "$work/log" && fail 'the project of consumer/ was not built'; }
  "$work/build/use_shared" "$model"
  if [[ -e $lib/libhone.a ]]; then
    self_contained "$work/build/use_static"
    "$work/build/use_static" "$model"
  fi
}

# The libtorch plugin lies beside libhone.so, which finds it there; a program with libhone.a inside looks beside itself
# and in ../lib.
plugin() {
  "$CC" -std=c99 "$here/use.c" -I"$TREE/include" -L"$lib" -lhone -Wl,-rpath,"$lib" -o "$work/shared"
  USE_DEVICE=torch-cpu "$work/shared" "$model"
  [[ -e $lib/libhone.a ]] || return 0
  mkdir -p "$work/app/bin" "$work/app/lib"
  ln -s "$lib/libhone_torch.so" "$work/app/lib"
  "$CC" -std=c99 "$here/use.c" -I"$TREE/include" "$lib/libhone.a" -lstdc++ -lm -lpthread -ldl -o "$work/app/bin/static"
  USE_DEVICE=torch-cpu "$work/app/bin/static" "$model"
}

# A C program that defines every name of TBB, zlib, Highway, the tokenizers and hone itself that libhone.a keeps inside.
# (Not those of std::, which belong to libstdc++ too.)
clash_c() {
  local flags count
  "$NM" --defined-only "$lib/libhone.a" | awk '$2 == "t" { print $3 }' | grep -E '^[A-Za-z_][A-Za-z0-9_]*$' |
    grep -E 'tbb|TBB|hwy|hone|inflate|crc32|adler32|zlib|itt|rust|_R' | grep -vE '^_Z(N?K?St|N9__gnu_cxx)' |
    sort -u >"$work/names"
  count=$(wc -l <"$work/names")
  for name in inflate crc32 zlibVersion rust_eh_personality hone_tok_encode; do
    grep -qx "$name" "$work/names" || fail "$name is not among the $count local names of libhone.a"
  done
  # What TBB would use if it found all of it: its allocator.
  printf 'scalable_%s\n' malloc free aligned_malloc aligned_free >>"$work/names"
  {
    printf 'void abort(void);\n'
    sed 's/.*/void &(void) { abort(); }/' "$work/names"
  } >"$work/clash.c"
  flags_of --cflags --libs hone-static
  "$CC" -w -fno-builtin "$here/use.c" "$work/clash.c" "${flags[@]}" -o "$work/clash"
  "$NM" "$work/clash" | grep ' T inflate$' >/dev/null || fail 'the program has no inflate of its own'
  "$work/clash" "$model"
  printf '%d clashing names\n' "$count"
}

clash_cc() {
  local flags
  flags_of --cflags --libs hone-static
  "$CXX" -std=c++17 -rdynamic "$here/clash.cc" "${flags[@]}" -o "$work/clash"
  self_contained "$work/clash"
  "$work/clash" "$model"
  "$CXX" -std=c++17 -static-libstdc++ -static-libgcc "$here/clash.cc" "${flags[@]}" -o "$work/clash"
  "$work/clash" "$model"
}

clash_rust() {
  "$RUSTC" --edition 2021 -O "$here/clash.rs" -L "native=$lib" -l static=hone -l stdc++ -C "linker=$CC" -o "$work/clash"
  self_contained "$work/clash"
  "$work/clash" "$model"
}

case $concern in
  install) run=install_tree ;;
  symbols | header | pkg_config | pkg_config_static | cmake | plugin | clash_c | clash_cc | clash_rust)
    run=$concern
    ;;
  *) fail 'no such concern' ;;
esac
rm -rf -- "$work"
mkdir -p -- "$work"
"$run"
