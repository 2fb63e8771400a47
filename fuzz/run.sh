#!/usr/bin/env bash
# Runs every fuzz target for so many seconds (600 if none are said) or until it finds something, which
# it then says and leaves under fuzz/artifacts. New inputs gather in fuzz/corpus; fuzz/seeds stays as it is.
#
#   fuzz/run.sh [seconds [target ...]]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift || true
# The sanitizer and the coverage counters are unstable options; the compiler itself is the stable one.
export RUSTC_BOOTSTRAP=1
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked

# What targets write, in memory where the system has such a place.
TMPDIR=$(mktemp -d -p /dev/shm 2> /dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# Side by side; by `run` they would be compiled one by one.
[ $# -gt 0 ] || cargo fuzz build

for target in ${*:-$(cargo fuzz list)}; do
    echo "== $target, $seconds s"
    mkdir -p "fuzz/corpus/$target"
    # Before its first input, run_folder trains the run that it changes.
    limits=(-timeout=10 -rss_limit_mb=512)
    [ "$target" != run_folder ] || limits=(-timeout=120 -rss_limit_mb=1024)
    cargo fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -malloc_limit_mb=160 "${limits[@]}" \
        -verbosity=0 -print_final_stats=1
done
