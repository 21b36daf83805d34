#!/usr/bin/env bash
# run_capi_cli.sh PREFIX: the C interface gives the bits that the command of the same installation gives, at another number
# of threads: fine-tuning by a job, by a job that writes the folder itself, step by step; and encoding. Both compare
# two models, find the nearest texts and list the losses alike. ../bindings/common.sh says what it needs.

source "$(dirname -- "${BASH_SOURCE[0]}")/../bindings/common.sh"
need cc cmp
hone=$prefix/bin/hone
[[ -x $hone ]] || skip "$1 has no bin/hone"

# program SOURCE NAME
program() {
  cc -std=c99 -Wall -Wextra -pedantic -Werror "$1" -I"$prefix/include" -L"$library_folder" -lhone -lm \
    -Wl,-rpath,"$library_folder" -o "$work/$2"
}
program "$root/examples/c/finetune.c" finetune
program "$here/by_library.c" by_library
export HONE_CHECK_THREADS=2

# same NAME NAME WHAT: the tuned weights are the same.
same() { cmp "$work/$1/model.safetensors" "$work/$2/model.safetensors" || die "the tuned weights of $3 differ"; }

command=("$hone" train --quiet --threads 1 --model "$model" --data "$train" --steps 6 --batch-size 8 --lr 2e-5
  --warmup-ratio 0.1)
"${command[@]}" --eval "$dev" --eval-steps 3 --out "$work/command"
if cmp -s "$model/model.safetensors" "$work/command/model.safetensors"; then die 'training changed nothing'; fi

"$work/by_library" job "$model" "$train" "$dev" "$work/job"
same command job 'a job'

"$work/finetune" "$model" "$train" "$dev" "$work/folder" runtime.threads=2 train.steps=6 train.batch_size=8 train.lr=2e-5 \
  train.warmup_ratio=0.1 train.eval_steps=3 2>"$work/log" >&2 || { cat "$work/log" >&2; die 'finetune failed'; }
same command folder 'a job that writes the folder itself'

"${command[@]}" --out "$work/command-last"
"$work/by_library" steps "$model" "$train" "$work/steps"
same command-last steps 'single steps'

texts=('A man plays the guitar.' 'The shop is closed on Sundays.' 'short')
printf '%s\n' "${texts[@]}" >"$work/texts.txt"
"$hone" encode --quiet --threads 1 --model "$work/command" --input "$work/texts.txt" --out "$work/vectors.npy"
"$work/by_library" encode "$work/job" "${texts[@]}" >"$work/vectors.raw"
# The numbers are the end of a .npy file.
bytes=$(wc -c <"$work/vectors.raw")
[[ $bytes -gt 0 ]] || die 'no vectors'
cmp <(tail -c "$bytes" "$work/vectors.npy") "$work/vectors.raw" || die 'the vectors differ'

# number NAME FILE: the number of that key in a JSON of one line or of many.
number() { tr -d ' \n' <"$2" | grep -o "\"$1\":[-0-9.e]*" | head -1; }
"$hone" eval --quiet --json --threads 1 --model "$work/command" --compare "$model" --data "$dev" >"$work/compared.command"
"$work/by_library" compare "$work/command" "$model" "$dev" >"$work/compared.library"
for name in spearman_cosine spearman_cosine_difference share_better; do
  one=$(number "$name" "$work/compared.command") other=$(number "$name" "$work/compared.library")
  [[ -n $one && $one == "$other" ]] || die "the comparisons differ: $one and $other"
done

"$hone" nearest --quiet --json --threads 1 --model "$model" --corpus "$work/texts.txt" --query guitar --top 3 |
  awk '/"index"/ { sub(",", "", $2); at = $2 } /"score"/ { sub(",", "", $2); printf "%d %.6f\n", at, $2 }' >"$work/nearest.command"
"$work/by_library" nearest "$model" guitar "${texts[@]}" | cmp "$work/nearest.command" - || die 'the nearest texts differ'
[[ $(wc -l <"$work/nearest.command") -eq 3 ]] || die 'three nearest texts are missing'

"$hone" losses --json >"$work/losses.command"
[[ -s $work/losses.command ]] || die 'no losses are listed'
"$work/by_library" losses | cmp "$work/losses.command" - || die 'hone_losses() and hone losses --json differ'
printf 'fine-tuning and encoding by the C interface give the bits of the command\n'
