#!/bin/sh
# tests/model/check.sh [FOLDER] - check tests/model/disk.pml with SPIN, completely.
#
# What is right must pass, each mutant must be found.  FOLDER (build/model) is for what SPIN writes.
# A trail, disk.pml.trail in the folder of a run, is shown with the run's own -D:
#   spin -k TRAIL -t -p -g [-D...] tests/model/disk.pml
set -eu

model=$(cd "$(dirname "$0")" && pwd)/disk.pml
folder=${1:-build/model}
passed=0
failed=0

# run NAME SEARCH [-D...]: SEARCH is `safety` or `liveness`; the output goes to FOLDER/NAME/out.
run() {
	name=$1
	case $2 in
	safety) compile=-DSAFETY search= ;;
	liveness) compile=-DNFAIR=3 search='-a -f' ;;
	esac
	shift 2
	mkdir -p "$folder/$name"
	(
		cd "$folder/$name"
		rm -f pan* ./*.trail
		spin -a "$@" "$model"
		gcc -O2 -w -DNOREDUCE -DVECTORSZ=512 -DMEMLIM=4000 "$compile" -o pan pan.c
		# shellcheck disable=SC2086 # a list of words on purpose
		./pan -n -m1000000 -w24 $search
	) >"$folder/$name/out" 2>&1 || true
}

count() {
	if [ "$1" = yes ]; then
		passed=$((passed + 1))
		echo "ok   $name: $2"
	else
		failed=$((failed + 1))
		echo "FAIL $name: $2; see $folder/$name/out"
	fi
}

# A search that was cut short says nothing: too deep, too much memory, or no end at all.
is_complete() {
	grep -q 'errors: 0$' "$folder/$name/out" &&
		! grep -q -i -e 'not completed' -e 'depth too small' -e 'memory bound' \
			-e 'out of memory' "$folder/$name/out"
}

passes() {
	run "$@"
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$folder/$name/out")
	if is_complete; then
		count yes "no error in ${states:-?} states"
	else
		count no "an error, or the search was cut short"
	fi
}

found() {
	run "$@"
	if grep -q -e 'assertion violated' -e 'acceptance cycle (' "$folder/$name/out"; then
		count yes "found"
	else
		count no "not found"
	fi
}

passes never-two safety -DWRITES=4 -DFAULTS=1
passes never-two-faults safety -DWRITES=3 -DFAULTS=2 -DTESTS=1
passes dead liveness -DDEAD -DWRITES=16
for rule in NO_READ ANCHOR_END NO_WATCH NO_MARGIN STANDS_LAPSED KEEPS_ROUND FROM_ZERO TESTS_HELD; do
	found "$rule" safety -DWRITES=3 -DFAULTS=1 "-D$rule"
done
found RENEWS_LAPSED safety -DWRITES=4 -DFAULTS=1 -DRENEWS_LAPSED
found KEEPS_INHERITED safety -DWRITES=4 -DFAULTS=1 -DKEEPS_INHERITED
found TESTS_INHERITED safety -DWRITES=4 -DFAULTS=1 -DTESTS_INHERITED
found FOREVER liveness -DDEAD -DWRITES=16 -DFOREVER
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
