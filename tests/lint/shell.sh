#!/bin/sh
# tests/lint/shell.sh - shellcheck on every shell script.
set -eu
cd "$(dirname "$0")/../.."

# shellcheck disable=SC2046 # the project's own file names have no blanks
shellcheck -s sh $(find tests -name '*.sh') .ci/run
echo "shell: clean"
