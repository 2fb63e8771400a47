#!/usr/bin/env bash
# Runs every example, and holds the classifiers to what they reach on the built-in digits.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --examples
examples=${CARGO_TARGET_DIR:-$PWD/target}/release/examples
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$out"
export TMPDIR=$out

for name in autodiff second_order custom_op; do
    "$examples/$name" > "$name.txt" || { cat "$name.txt"; exit 1; }
done
"$examples/gan" 1
[ -s gan.png ] || { echo "examples/gan drew nothing"; exit 1; }
for name in mnist_mlp mnist_cnn; do
    "$examples/$name" | tee "$name.txt"
    right=$(sed -n 's/^loaded .*: \([0-9.]*\)% right$/\1/p' "$name.txt")
    awk -v right="$right" 'BEGIN { exit !(right > 99) }' || { echo "$name: $right% right of more than 99"; exit 1; }
done
