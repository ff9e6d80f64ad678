#!/usr/bin/env bash
# Builds the Versity S3 gateway for the fidelity tests: e2e/build-versitygw.sh PATH builds the binary PATH, or does nothing if it
# exists. It downloads only from the Go module proxy, and takes a minute or two the first time.
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

cd "$work" # outside any module, so that our go.mod does not apply
module_json=$(go mod download -json "$module@$version")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$module_json"; }
if [[ $(field Sum) != "$sum" ]]; then
	echo "$0: $module@$version has checksum $(field Sum), want $sum" >&2
	exit 1
fi
CGO_ENABLED=0 GOBIN="$work" go install -ldflags '-s -w' "$module/cmd/versitygw@$version"
# Rename the finished binary, so that an interrupted build leaves nothing that looks like a server.
mv "$work/versitygw" "$target.new"
mv "$target.new" "$target"
"$target" --version
