#!/usr/bin/env bash
# run_java.sh PREFIX: hone from Java: SWIG makes classes of hone.h (hone.i), Check.java runs against the library in PREFIX
# (../common.sh says what else it needs). JDK 17 or newer.

source "$(dirname -- "${BASH_SOURCE[0]}")/../common.sh"
need swig javac java cc

# Headers of JNI: beside the javac that runs.
jdk=${JAVA_HOME:-$(dirname -- "$(dirname -- "$(readlink -f -- "$(command -v javac)")")")}
[[ -f $jdk/include/jni.h ]] || skip "no include/jni.h in $jdk"
release=$("$jdk/bin/javac" -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')
[[ $release -ge 17 ]] || skip "javac is of JDK $release, 17 or newer expected"

mkdir -p "$work/source/hone" "$work/out"
swig -java -Wall -Werror -package hone -outdir "$work/source/hone" -o "$work/hone_wrap.c" -I"$prefix/include" "$here/hone.i"
# SWIG keeps pointers in a jlong by way of casts that break the rules of aliasing.
cc -O2 -fPIC -shared -fno-strict-aliasing -Wall -Wextra -Werror -I"$prefix/include" -I"$jdk/include" \
  -I"$jdk/include/linux" "$work/hone_wrap.c" -L"$library_folder" -lhone -Wl,-rpath,"$library_folder" \
  -o "$work/libhonejni.so"
"$jdk/bin/javac" -Xlint:all -Werror -d "$work/classes" "$work"/source/hone/*.java "$here"/*.java

# -Xcheck:jni finds wrong uses of JNI; it says so and goes on, so what it says is looked for.
"$jdk/bin/java" -Xcheck:jni -Xmx512m -cp "$work/classes" -Dhone.native.path="$work/libhonejni.so" \
  Check "$model" "$train" "$dev" "$work/out" >"$work/said" 2>&1 || { cat "$work/said" >&2; die 'Check failed'; }
cat "$work/said"
if grep -qE '^(WARNING|FATAL ERROR) in native method' "$work/said"; then die 'JNI was used wrongly'; fi
