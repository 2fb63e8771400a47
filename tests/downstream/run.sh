#!/usr/bin/env bash
# Builds and runs a crate on the engine alone, outside of this repository.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cp -r "$here/Cargo.toml" "$here/src" "$out"
cp "$here/../../Cargo.lock" "$out"
sed -i "s@\"MINIMAX\"@\"$(cd "$here/../.." && pwd)\"@" "$out/Cargo.toml"
. "$here/profile.sh"
cd "$out"
CARGO_TARGET_DIR=$downstream_target cargo run
