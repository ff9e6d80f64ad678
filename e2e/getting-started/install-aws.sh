#!/usr/bin/env bash
# Installs the newest AWS CLI 2 in Debian into a folder, with the Python and the C library that it needs. It does not change
# the machine and works on any release of Debian. FOLDER/aws is the program.
#
#   install-aws.sh FOLDER [SUITE...]
#
# Tries the suites in order until it finds a CLI that starts. By default the newest suite is first.
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

# version runs the program without the caller's environment.
version() { env -i HOME="$folder" PATH=/usr/bin:/bin "$folder/aws" --version; }

# get downloads the CLI's packages and all their dependencies from a suite, and unpacks them into FOLDER/root.
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

# start writes the program, which uses the suite's loader, libraries and Python instead of the machine's.
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
	# Rename the finished program, so that an interrupted installation leaves nothing that looks like one.
	mv "$folder/aws.new" "$folder/aws"
}

if [[ -x $folder/aws ]] && version 2>/dev/null; then exit; fi
for suite in "${suites[@]}"; do
	if get "$suite" && start && version; then exit; fi
	echo "install-aws.sh: cannot install the AWS CLI from $suite" >&2
done
exit 1
