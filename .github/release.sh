#!/usr/bin/env bash
# Builds a release in dist/: for each platform an archive of the binary, the manual, the completions and the licence, and a
# software bill of materials (SBOM); and SHA256SUMS of all files. The same commit and Go version produce the same binaries and
# SBOMs on any machine, and the same archives if tar and gzip are the same too.
#
#   .github/release.sh VERSION [GOOS/GOARCH]...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version="${1:?usage: .github/release.sh VERSION [GOOS/GOARCH]...; VERSION is the tag of this commit}"
platforms=("${@:2}")
if ((${#platforms[@]} == 0)); then
	platforms=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64)
fi

# The machine's own settings must not affect the binary.
unset GOEXPERIMENT GOAMD64 GOARM64
export GOFLAGS=-buildvcs=true CGO_ENABLED=0 LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
umask 022

rm -rf dist
mkdir dist
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

build() { # to $1
	go build -trimpath -ldflags '-s -w' -o "$1" ./cmd/syncd
}

build "$work/syncd"
if ! "$work/syncd" version | grep -qxF "syncd $version"; then
	echo "release.sh: this checkout builds $("$work/syncd" version | head -n 1), not $version: check out the tag, without local changes" >&2
	exit 1
fi
"$work/syncd" man "$work/man"
mkdir "$work/completions"
for shell in bash zsh fish powershell; do
	"$work/syncd" completion "$shell" >"$work/completions/syncd.$shell"
done

for platform in "${platforms[@]}"; do
	name="syncd_${version}_${platform%/*}_${platform#*/}"
	mkdir "$work/$name"
	GOOS="${platform%/*}" GOARCH="${platform#*/}" build "$work/$name/syncd"
	"$work/syncd" version --sbom --binary "$work/$name/syncd" >"dist/$name.cdx.json"
	cp -r LICENSE README.md CHANGELOG.md docs "$work/man" "$work/completions" "$work/$name"
	tar --create --directory "$work" --format gnu --sort name --mtime "@$SOURCE_DATE_EPOCH" --owner 0 --group 0 --numeric-owner \
		--mode 'u=rwX,go=rX' "$name" | gzip --no-name --best >"dist/$name.tar.gz"
done
cd dist
sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS
