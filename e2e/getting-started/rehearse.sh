#!/usr/bin/env bash
# Rehearses docs/getting-started.md: runs the commands of the page in their order, with the real AWS CLI, curl, jq and openssl,
# against "syncd demo --serve --empty", and compares what they print with what the page shows. It prints the session.
#
#   rehearse.sh FOLDER        with the newest AWS CLI that Debian has, which is installed into FOLDER
#   rehearse.sh FOLDER AWS    with the AWS CLI at the path AWS
#
# Only what a test cannot have as the page has it is changed: ports are free ones, the schedule is a second, and
# the source of syncd is this one.
set -euo pipefail

if (($# == 0 || $# > 2)); then
	echo "usage: $0 FOLDER [AWS]" >&2
	exit 2
fi
aws=${2:-}
folder=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ -z $aws ]]; then
	e2e/getting-started/install-aws.sh "$folder"
	aws=$folder/aws
fi
aws=$(realpath "$(command -v "$aws")")
version=$("$aws" --version 2>&1)
echo "rehearse.sh: $version"
if [[ $version != aws-cli/[12].* ]]; then
	echo "rehearse.sh: $aws is not version 1 or 2 of the AWS CLI" >&2
	exit 1
fi
exec go test ./cmd/syncd -run '^TestGettingStarted$' -aws "$aws" -count=1 -v -timeout 10m
