#!/bin/sh
# tests/lint/headers.sh - every header compiles alone, and twice, with gcc and with clang.
#
# Two are parts by design: banned.h comes before everything, state.h is the second half of core.h.
set -eu
cd "$(dirname "$0")/../.."

failed=0
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for compiler in gcc clang; do
	if ! command -v "$compiler" >/dev/null; then
		echo "headers: $compiler is missing; 'sh tests/packages.sh check' installs it" >&2
		exit 1
	fi
done
for header in $(find agent hb conf subagent tools tests -name '*.h' ! -name banned.h \
	! -path agent/core/state.h | sort); do
	count=$((count + 1))
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$work/alone.c"
	for compiler in gcc clang; do
		if ! "$compiler" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wundef -Wstrict-prototypes \
			-Werror -fsyntax-only -I. -Ibuild "$work/alone.c" 2>"$work/errors"; then
			echo "$header does not compile alone with $compiler:"
			head -5 "$work/errors"
			failed=1
		fi
	done
done
[ "$failed" -eq 0 ] && echo "headers: $count compile alone and twice with gcc and clang"
exit "$failed"
