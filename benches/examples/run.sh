#!/usr/bin/env bash
# Accuracy and time of examples/mnist_mlp.rs and examples/mnist_cnn.rs beside the same in PyTorch, on MNIST's four files.
#
#   benches/examples/run.sh FOLDER
set -euo pipefail
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")"
cargo build --release --quiet --examples --manifest-path ../../Cargo.toml
# PyTorch, pinned.
source ../libtorch/env.sh
examples=${CARGO_TARGET_DIR:-$PWD/../../target}/release/examples

printf '%-6s %-10s %12s %10s\n' "" "" "% right" "seconds"
for name in mlp cnn; do
    ours=$("$examples/mnist_$name" "$folder")
    theirs=$(python -W ignore mnist.py "$name" "$folder")
    for side in minimax pytorch; do
        said=$ours
        [ "$side" = minimax ] || said=$theirs
        right=$(sed -n 's/^epoch .* \([0-9.]*\)% of the test set right$/\1/p' <<< "$said" | tail -1)
        seconds=$(sed -n 's/^\([0-9.]*\) s$/\1/p' <<< "$said")
        printf '%-6s %-10s %12s %10s\n' "$name" "$side" "$right" "$seconds"
    done
done
