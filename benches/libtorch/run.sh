#!/usr/bin/env bash
# Sets everything up, builds, and measures minimax against libtorch: `run.sh --help` says what can be asked for.
set -euo pipefail
source "$(dirname "$0")/env.sh"
cargo build --release --quiet --locked --manifest-path "$here/Cargo.toml"
exec "$here/target/release/yardstick" "$@"
