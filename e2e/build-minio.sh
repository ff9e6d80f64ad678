#!/usr/bin/env bash
# Builds the MinIO server for the fidelity tests: e2e/build-minio.sh PATH builds the binary PATH, or does nothing if it exists.
# It downloads only from the Go module proxy, and takes a few minutes the first time.
#
# The module is copied out of the module cache first, because its go.mod has replace lines, which Go honours only in the main
# module: "go install" does not work, and the cache is read-only.
set -euo pipefail

readonly module=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
readonly sum=h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA=

if (($# != 1)); then
	echo "usage: $0 PATH" >&2
	exit 2
fi
if [[ -x $1 ]]; then
	exit 0
fi
mkdir -p "$(dirname "$1")"
target=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work" # outside any module, so that our go.mod does not apply
module_json=$(go mod download -json "$module")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$module_json"; }
if [[ $(field Sum) != "$sum" ]]; then
	echo "$0: $module has checksum $(field Sum), want $sum" >&2
	exit 1
fi
cp -R "$(field Dir)" src
chmod -R u+w src
cd src
# Rename the finished binary, so that an interrupted build leaves nothing that looks like a server.
CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/minio" .
mv "$work/minio" "$target.new"
mv "$target.new" "$target"
"$target" --version
