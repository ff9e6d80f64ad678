#!/usr/bin/env bash
# Installs the newest AWS CLI 2 that Debian has into a folder, with the Python and the C library that it needs: nothing of the
# machine changes, whatever release of Debian it runs. FOLDER/aws is the program.
#
#   install-aws.sh FOLDER [SUITE...]
#
# The suites are tried in order until one has a CLI that starts; by default the newest first.
set -euo pipefail

if (($# == 0)); then
	echo "usage: $0 FOLDER [SUITE...]" >&2
	exit 2
fi
folder=$(realpath -m "$1")
shift
suites=("$@")
(($# > 0)) || suites=(sid trixie bookworm)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

# version starts the program, with nothing of the caller's environment.
version() { env -i HOME="$folder" PATH=/usr/bin:/bin "$folder/aws" --version; }

# get downloads the packages of a suite that the CLI needs, as if on a machine without any, and unpacks them into FOLDER/root.
get() {
	local apt=$folder/apt
	rm -rf "$folder/root" "$folder/aws" "$apt"
	mkdir -p "$folder/root" "$apt/lists/partial" "$apt/archives/partial"
	: >"$apt/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$apt/sources.list"
	local options=(
		-o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status"
		-o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives"
		-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Languages=none -o APT::Sandbox::User=root
		-o APT::Install-Recommends=false
	)
	apt-get "${options[@]}" --quiet=2 update || return 1
	apt-get "${options[@]}" --quiet=2 --yes --download-only install awscli >"$apt/log" || { cat "$apt/log" >&2 && return 1; }
	for package in "$apt"/archives/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done
	rm -rf "$apt"
}

# start writes the program: the loader, the libraries and the Python of the suite, and none of the machine's.
start() {
	local loader libraries python
	loader=$(find "$folder/root" -name 'ld-linux-*.so.*' -path '*linux-gnu*' | head -n 1)
	libraries=$(find "$folder/root" -type d -path '*/lib/*-linux-gnu' -prune | paste -sd :)
	python=$(find "$folder/root/usr/bin" -name 'python3.[0-9]*' -type f | head -n 1)
	cat >"$folder/aws.new" <<-END
		#!/bin/sh
		export PYTHONHOME='$folder/root/usr'
		exec '$loader' --library-path '$libraries' '$python' '$folder/root/usr/bin/aws' "\$@"
	END
	chmod +x "$folder/aws.new"
	# Renamed into place, so that an installation that is interrupted leaves nothing that looks like a program.
	mv "$folder/aws.new" "$folder/aws"
}

if [[ -x $folder/aws ]] && version 2>/dev/null; then exit; fi
for suite in "${suites[@]}"; do
	if get "$suite" && start && version; then exit; fi
	echo "install-aws.sh: no AWS CLI from $suite" >&2
done
exit 1
