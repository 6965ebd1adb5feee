#!/bin/sh
# tests/lint/purity.sh [BUILD] - the pure code calls nothing but itself and a few string functions,
# and has no variables of its own: no I/O, clock, allocation, randomness or globals.  Proven from
# the symbol tables of the objects, so nothing can hide in a macro.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}

core=$(find agent/core -name '*.c' | sort)
pure="agent/base/bound.c agent/base/buf.c agent/base/event.c agent/base/words.c hb/frame.c"
pure="$pure hb/window.c hb/path.c hb/quality.c $core"
# Copying, comparing and formatting of bytes, the checked forms of the same, asserts, and what the
# compiler adds for stack protection and position independence.
allowed='mem(cpy|move|set|cmp|chr)|str(len|nlen|cmp|ncmp|chr)|v?snprintf'
allowed="$allowed|__(mem(cpy|move|set)|v?snprintf)_chk|__assert_fail"
allowed="$allowed|__stack_chk_fail(_local)?|_GLOBAL_OFFSET_TABLE_"

objects=""
for source in $pure; do
	object="$build/${source%.c}.o"
	if [ ! -f "$object" ]; then
		echo "purity: $object is not there: run make first" >&2
		exit 1
	fi
	objects="$objects $object"
done

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # a list of files on purpose
nm --defined-only $objects | awk 'NF == 3 { print $3 }' | sort -u >"$work/own"
for object in $objects; do
	nm -u "$object" | awk '{ print $2 }' | sort -u >"$work/needed"
	foreign=$(comm -23 "$work/needed" "$work/own" | grep -vxE "$allowed" || true)
	if [ -n "$foreign" ]; then
		echo "$object is not pure, it calls: $(echo "$foreign" | xargs)"
		failed=1
	fi
	# Tables of constants with pointers are in .data.rel.ro, which is read-only when it runs.
	variables=$(nm -f sysv "$object" | awk -F'|' '
		$7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ {
			print $1
		}')
	if [ -n "$variables" ]; then
		echo "$object is not pure, it has variables: $(echo "$variables" | xargs)"
		failed=1
	fi
done
[ "$failed" -eq 0 ] && echo "purity: $(echo "$objects" | wc -w) objects are pure"
exit "$failed"
