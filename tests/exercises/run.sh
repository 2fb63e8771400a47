#!/usr/bin/env bash
# Every exercise as its reader goes through it: as it is started it isn't written yet; a typical mistake is found, and
# the report says what `// says:` in it names; the engine's own functions are right. Wants `minimax`, built by
# `cargo build --release`, or its path in MINIMAX; with names, only these exercises are tried.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
minimax=${MINIMAX:-${CARGO_TARGET_DIR:-$root/target}/release/minimax}
. "$root/tests/downstream/profile.sh"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# What `check` says of the folder $1, where it has to end with exit code $2.
check() {
    local code=0
    "$minimax" exercise check "$1" > "$out/said" 2>&1 || code=$?
    [ "$code" = "$2" ] || { cat "$out/said"; echo "$1: exit code $code, not $2"; exit 1; }
}

# That it has said $1.
said() {
    grep --quiet --fixed-strings -- "$1" "$out/said" || { cat "$out/said"; echo "it should have said: $1"; exit 1; }
}

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <("$minimax" exercise list | awk 'NR > 1 { print $1 }')
for name in "${names[@]}"; do
    folder=$out/$name
    "$minimax" exercise start "$name" "$folder" > /dev/null
    ln -s "$downstream_target" "$folder/target"
    check "$folder" 1
    said "isn't written yet"

    file=$folder/src/lib.rs kind=rs
    if [ -e "$here/$name.cu" ]; then file=$folder/src/kernel.cu kind=cu; fi
    cp "$here/wrong/$name.$kind" "$file"
    check "$folder" 1
    while read -r line; do said "$line"; done < <(sed -n 's@^// says: @@p' "$file")

    cp "$here/$name.$kind" "$file"
    case $kind in
        rs)
            cp "$root/Cargo.lock" "$folder"
            printf '\n[dependencies]\nminimax = { path = "%s", default-features = false }\n' "$root" >> "$folder/Cargo.toml"
            ;;
        cu) cp "$root"/kernels/*.cuh "$folder/src" ;;
    esac
    check "$folder" 0
    said "$name: right in all"
    echo "$name: found unwritten, wrong and right"
done
