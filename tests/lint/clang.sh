#!/bin/sh
# tests/lint/clang.sh - every source compiles without a warning under clang, too.
set -eu
cd "$(dirname "$0")/../.."

failed=0
count=0
sources=$(find agent hb conf subagent tools tests/unit tests/sim tests/snmp -name '*.c' | sort)
for source in $sources; do
	count=$((count + 1))
	clang -std=c11 -D_GNU_SOURCE -I. -Ibuild -Wall -Wextra -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wpointer-arith -Wundef -Wvla -Wwrite-strings -Wformat=2 \
		-Werror -fsyntax-only \
		-include agent/base/banned.h -DYOKE_VERSION='"0"' -DYOKE_OID='"1.3.6.1.4.1.1"' \
		"$source" || failed=1
done
[ "$failed" -eq 0 ] && echo "clang: $count sources without a warning"
exit "$failed"
