#!/usr/bin/env bash
# Builds the book with mdBook into docs/book/html, which git ignores, and fails where mdBook has anything to say.
# Its quotes and links are held by tests/book.rs, the code in its chapters by `cargo test --doc`.
#
#   docs/book/check.sh
set -euo pipefail
cd "$(dirname "$0")"

version=0.5.4
mdbook --version 2> /dev/null | grep --quiet --fixed-strings "v$version" || cargo install mdbook --locked --version "$version"

rm -rf html
said=$(mdbook build 2>&1) || { echo "$said" && exit 1; }
! echo "$said" | grep -E '(WARN|ERROR)' || exit 1
# A page for each chapter, with every picture that it shows.
for chapter in src/[0-9]*.md; do
    page=html/$(basename "$chapter" .md).html
    [ -s "$page" ] || { echo "$page is missing"; exit 1; }
    for figure in $(grep --only-matching 'figures/[a-z0-9-]*\.svg' "$chapter"); do
        [ -s "html/$figure" ] || { echo "html/$figure is missing"; exit 1; }
    done
done
echo "docs/book/html/index.html"
