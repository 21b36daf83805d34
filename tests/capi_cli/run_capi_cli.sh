#!/usr/bin/env bash
# run_capi_cli.sh PREFIX: the C interface gives the bits that the command of the same installation gives, at another number
# of threads: fine-tuning by a job, by a job that writes the folder itself, step by step; and encoding. And it
# lists the same losses. ../bindings/common.sh says what it needs.

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

"$hone" losses --json >"$work/losses.command"
[[ -s $work/losses.command ]] || die 'no losses are listed'
"$work/by_library" losses | cmp "$work/losses.command" - || die 'hone_losses() and hone losses --json differ'
printf 'fine-tuning and encoding by the C interface give the bits of the command\n'
