#!/usr/bin/env bash
# The style of the Python package, and its tests: of the wheel, in an environment of its own. Beside the samples of the
# command, which is built if it isn't there.
set -euo pipefail
cd "$(dirname "$0")"

# The level that compiles fastest.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
export MINIMAX_COMMAND=${CARGO_TARGET_DIR:-$PWD/../target}/release/minimax

cargo fmt --check
cargo clippy --release --locked -- -D warnings

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
python3 -m venv "$out/venv"
PATH=$out/venv/bin:$PATH
pip install --quiet -r requirements.txt
# As a user does, but with the pinned maturin.
pip install --quiet --no-build-isolation .

[ -x "$MINIMAX_COMMAND" ] || cargo build --release --locked --manifest-path ../Cargo.toml --bin minimax
pytest --quiet -p no:cacheprovider tests
