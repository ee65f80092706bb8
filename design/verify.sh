#!/bin/sh
# Rebuilds the assets into a temporary folder and fails when the committed ones differ.
set -eu
cd "$(dirname "$0")"
# npm ci refuses a lock in which packages for other platforms could not be resolved.
[ -d node_modules ] || npm install --no-save --silent
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
node build.js "$tmp/dist"
if ! diff -rq "$tmp/dist" ../internal/web/assets/dist; then
	echo "internal/web/assets/dist differs from its source: run make -C design build and commit" >&2
	exit 1
fi
echo "assets match their source"
