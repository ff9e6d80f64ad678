#!/usr/bin/env bash
# Tests docs/getting-started.md: runs the page's commands in order, with the real AWS CLI, curl, jq and openssl, against
# "syncd demo --serve --empty", and compares their output with the page. It prints the session.
#
#   rehearse.sh FOLDER        with the newest AWS CLI in Debian, installed into FOLDER
#   rehearse.sh FOLDER AWS    with the AWS CLI at the path AWS
#
# It changes only what a test cannot use as it is: it uses free ports, a schedule of one second, and this source of syncd.
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
