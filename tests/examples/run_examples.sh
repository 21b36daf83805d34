#!/usr/bin/env bash
# run_examples.sh PREFIX: builds examples/c against the hone installed in PREFIX, by CMake and by the lines of its README,
# shared and (where libhone.a is there) static, and checks what the programs say. ../bindings/common.sh says what it needs.

source "$(dirname -- "${BASH_SOURCE[0]}")/../bindings/common.sh"
need cc cmake pkg-config readelf
examples=$root/examples/c
train=$root/examples/data/train.tsv # small: these are many runs
pairs=$root/examples/data/pairs.tsv pairs_test=$root/examples/data/pairs-test.tsv
PKG_CONFIG_PATH=$library_folder/pkgconfig
export PKG_CONFIG_PATH
strict='-Wall -Wextra -Wshadow -pedantic -Werror'
has_static=false
if [[ -f $library_folder/libhone.a ]]; then has_static=true; fi

# The README's table says of each program what its first comment says.
for source in "$examples"/*.c; do
  file=$(basename -- "$source")
  line=$(sed -n "2s/^ \* $file: //p" "$source")
  grep -qxF "| \`$file\` | $line |" "$examples/README.md" ||
    die "examples/c/README.md does not say of $file what it says of itself: $line"
done

# build FOLDER OPTIONS...
build() {
  {
    cmake -S "$examples" -B "$work/$1" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$strict" "${@:2}" &&
      cmake --build "$work/$1"
  } >"$work/$1.log" 2>&1 || { cat "$work/$1.log" >&2; die "examples/c does not build ($1)"; }
}
build shared
programs=$work/shared
if $has_static; then build static -DHONE_EXAMPLES_STATIC=ON; fi

# The lines of the README, as they stand there.
mkdir "$work/lines"
cp -- "$examples"/*.c "$work/lines"
lines=$(grep -E '^cc ' "$examples/README.md")
if ! $has_static; then lines=$(grep -v static.c <<<"$lines"); fi
(cd -- "$work/lines" && bash -euo pipefail -c "$lines") >"$work/lines.log" 2>&1 ||
  { cat "$work/lines.log" >&2; die 'a line of examples/c/README.md does not build'; }
expect() { # WHAT PATTERN TEXT
  grep -qE -- "$2" <<<"$3" || die "$1: found: $3"
}
fails() { # CODE PROGRAM ARGUMENTS...: ends so and says one line
  local said code=0
  said=$("$programs/$2" "${@:3}" 2>&1 >"$work/unexpected") || code=$?
  [[ $code -eq $1 && $(wc -l <<<"$said") -eq 1 && -n $said && ! -s $work/unexpected ]] ||
    die "$2: exit code $code, expected $1 and one line: $said"
}

run_all() { # NAME
  programs=$work/$1
  local said first own code=0
  said=$("$programs/encode" "$model" 'A man plays the guitar.' 'Someone plays a guitar.' 'The shop is closed.')
  expect encode '^0\.[5-9][0-9]{3}  Someone' "$said"
  expect encode '^-?0\.[0-2][0-9]{3}  The shop' "$said"

  said=$("$programs/arrow" "$model")
  expect arrow '"rows": ?5' "$said"
  expect arrow '"pairs": ?5' "$said"
  expect arrow 'column "embedding", 384 numbers a row' "$said"
  [[ $(grep -cE '^batch [12]: .* length (1\.00000|0\.99999)$' <<<"$said") -eq 5 ]] || die "arrow: $said"

  said=$("$programs/finetune" "$model" "$train" "$dev" "$work/tuned-$1" train.steps=4 train.batch_size=8 2>"$work/log")
  expect finetune '^spearman_cosine 0\.[0-9]{4} before, 0\.[0-9]{4} after$' "$said"
  expect 'progress of finetune' '^step 4 of 4  loss [0-9.]+' "$(cat "$work/log")"
  [[ -f $work/tuned-$1/model.safetensors ]] || die 'finetune saved nothing'
  fails 1 finetune "$model" "$train" "$dev" "$work/tuned-$1" train.steps=4

  # Ctrl-C in the middle, then on from there.
  local arguments=("$model" "$train" "$dev" "$work/cut-$1" train.steps=60 train.batch_size=8) pid
  : >"$work/log" # else the steps of the run before may be seen there until the program is started
  "$programs/finetune" "${arguments[@]}" >"$work/out" 2>"$work/log" &
  pid=$!
  until grep -q '^step 2 ' "$work/log" || ! kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  kill -INT "$pid" || true
  wait "$pid" || code=$?
  [[ $code -eq 130 && ! -s $work/out ]] || die "finetune: exit code $code after Ctrl-C, 130 expected"
  expect finetune 'cancelled; a checkpoint is kept' "$(tail -n 1 "$work/log")"
  [[ -d $work/cut-$1/checkpoint && ! -e $work/cut-$1/model.safetensors ]] || die 'finetune kept no checkpoint'
  said=$("$programs/finetune" "${arguments[@]}" train.existing=resume 2>"$work/log")
  expect 'finetune, resumed' '^spearman_cosine' "$said"
  expect 'progress of finetune, resumed' '^step 60 of 60 ' "$(cat "$work/log")"
  if grep -q '^step 1 of' "$work/log"; then die 'finetune began anew'; fi

  said=$("$programs/pairs" "$model" "$pairs" "$pairs_test" "$work/paired-$1" 4 2>"$work/log")
  expect pairs '^loss: mnr, mean of log\(.+\) - .+$' "$said"
  expect pairs '^60 rows to train on$' "$said"
  expect pairs '^base model: 24 triplets, accuracy [01]\.[0-9]{4} \(cosine\), [01]\.[0-9]{4} \(euclidean\)$' "$said"
  expect pairs '^tuned model: 24 triplets, accuracy' "$said"
  expect pairs '^verdict: .*, [01]\.[0-9]{4} before, [01]\.[0-9]{4} after, difference \[[+-]0\.[0-9]{4}, [+-]0\.' "$said"
  expect 'progress of pairs' '^step 4 of 4  loss [0-9.]+' "$(cat "$work/log")"
  [[ -f $work/paired-$1/model.safetensors ]] || die 'pairs saved nothing'

  # The same loss, hone's and the program's own: the same numbers, but for the order of sums. They are printed to six
  # places; a gradient that is wrong, or only of another length, shows in the fifth.
  first=$("$programs/own_loop" "$model" "$train" "$work/first-$1" 6 0 | awk '{ print $4 }')
  own=$("$programs/own_loop" "$model" "$train" "$work/own-$1" 6 6 | awk '{ print $4 }')
  paste <(echo "$first") <(echo "$own") | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 2e-6 || $1 <= 0) exit 1 }
    END { if (NR != 6) exit 1 }' || die "own_loop: losses of hone: ${first//$'\n'/ }, of its own: ${own//$'\n'/ }"
}
said=$(LD_LIBRARY_PATH=$library_folder "$work/lines/finetune" 2>&1) || true
expect 'finetune, built by pkg-config' '^usage:' "$said"
run_all shared
fails 1 encode no/such/model a b
fails 1 arrow no/such/model
fails 1 own_loop no/such/model "$train" "$work/x"
fails 1 pairs no/such/model "$pairs" "$pairs_test" "$work/x"
fails 1 pairs "$model" "$pairs" "$dev" "$work/x" # a file of another task
printf 'anchor\tpositive\tnegative\none\ttwo\n' >"$work/short.tsv"
fails 1 pairs "$model" "$work/short.tsv" "$pairs_test" "$work/x"
fails 1 finetune "$model" "$train" "$dev" "$work/x" train.stepz=1
fails 1 finetune "$model" "$train" "$dev" "$work/x" train.steps=many
fails 1 finetune "$model" "$work/no-such.tsv" "$dev" "$work/x"
[[ ! -e $work/x ]] || die 'a program that failed has written something'

if $has_static; then
  run_all static
  for program in "$work"/static/{encode,finetune,static} "$work/lines/static"; do
    if ldd "$program" | grep -q libhone; then die "$program needs libhone.so"; fi
  done
  [[ $("$work/lines/static") == 'hone '* ]] || die 'static says no version'
  if readelf -d "$work/lines/static-alone" | grep -q NEEDED; then die 'static-alone is not static'; fi
  [[ $("$work/lines/static" "$model" short | wc -l) -eq 384 ]] || die 'static: 384 numbers expected'
  cmp <("$work/lines/static" "$model" short) <("$work/lines/static-alone" "$model" short) ||
    die 'the vectors of static-alone differ'
else
  printf '%s: no libhone.a in %s: static.c and static links are NOT tested\n' "$name" "$1" >&2
fi
printf 'the examples of examples/c do what they say\n'
