#!/usr/bin/env bash
# Builds the MinIO server that the fidelity tests run against: e2e/build-minio.sh PATH makes the binary PATH, or does
# nothing where it exists. It asks nobody but the Go module proxy, and takes a few minutes the first time.
#
# The module cannot be built where the proxy puts it, nor with "go install": its go.mod has replace lines, which count only
# in the main module, and the cache is read-only. So it is copied out first.
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

cd "$work" # outside of any module, so that no go.mod of ours decides
module_json=$(go mod download -json "$module")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$module_json"; }
if [[ $(field Sum) != "$sum" ]]; then
	echo "$0: $module has the sum $(field Sum), want $sum" >&2
	exit 1
fi
cp -R "$(field Dir)" src
chmod -R u+w src
cd src
# Renamed into place, so that a build that is interrupted leaves nothing that looks like a server.
CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/minio" .
mv "$work/minio" "$target.new"
mv "$target.new" "$target"
"$target" --version
