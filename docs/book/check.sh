#!/usr/bin/env bash
# Builds the book with mdBook into docs/book/html, which git ignores, and fails where mdBook has anything to say.
# Its quotes and links are held by tests/book.rs, the code in its chapters by `cargo test --doc`.
#
#   docs/book/check.sh
set -euo pipefail
cd "$(dirname "$0")"

version=0.5.4
mdbook --version 2> /dev/null | grep --quiet --fixed-strings "v$version" || cargo install mdbook --locked --debug --version "$version"

rm -rf html
said=$(mdbook build 2>&1) || { echo "$said" && exit 1; }
! echo "$said" | grep -E '(WARN|ERROR)' || exit 1
# mdBook takes every .md that is linked to for a page of the book; those of the project stay what they are.
sed -i -E 's@(href="\.\./\.\./[^"#]*)\.html@\1.md@g' html/*.html

# A page for each chapter, and whatever the pages link to and show, within the book and in the project.
for chapter in src/[0-9]*.md; do
    page=html/$(basename "$chapter" .md).html
    [ -s "$page" ] || { echo "$page is missing"; exit 1; }
done
for link in $(grep --only-matching --no-filename --extended-regexp '(href|src)="[^":#]+' html/introduction.html html/[0-9]*.html | cut -d '"' -f 2 | sort -u); do
    [ -e "html/$link" ] || { echo "a page links to $link, which is not there"; exit 1; }
done
echo "docs/book/html/index.html"
