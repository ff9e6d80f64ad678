#!/usr/bin/env bash
# Builds the Versity S3 gateway that the fidelity tests run against: e2e/build-versitygw.sh PATH makes the binary PATH, or does
# nothing where it exists. It asks nobody but the Go module proxy, and takes a minute or two the first time.
set -euo pipefail

readonly module=github.com/versity/versitygw
readonly version=v1.8.0
readonly sum=h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=

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
module_json=$(go mod download -json "$module@$version")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$module_json"; }
if [[ $(field Sum) != "$sum" ]]; then
	echo "$0: $module@$version has the sum $(field Sum), want $sum" >&2
	exit 1
fi
CGO_ENABLED=0 GOBIN="$work" go install -ldflags '-s -w' "$module/cmd/versitygw@$version"
# Renamed into place, so that a build that is interrupted leaves nothing that looks like a server.
mv "$work/versitygw" "$target.new"
mv "$target.new" "$target"
"$target" --version
