#!/bin/sh
# tests/lint/manuals.sh - the manual pages render without a complaint.
set -eu
cd "$(dirname "$0")/../.."

failed=0
for page in tools/man/*.[0-9]; do
	complaints=$(groff -man -mdoc -Tutf8 -ww -z "$page" 2>&1 || true)
	if [ -n "$complaints" ]; then
		echo "$complaints"
		failed=1
	fi
done
[ "$failed" -eq 0 ] && echo "manuals: clean"
exit "$failed"
