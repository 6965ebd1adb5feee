#!/bin/sh
# tests/lint/mutants.sh - the seeded bugs can be put into the sources as they are now.
set -eu
cd "$(dirname "$0")/../.."

failed=0
for file in tests/sim/mutants/*.patch; do
	if ! complaints=$(patch -p1 --dry-run -s -i "$file"); then
		echo "$file: $complaints"
		failed=1
	fi
done
[ "$failed" -eq 0 ] && echo "mutants: all apply"
exit "$failed"
