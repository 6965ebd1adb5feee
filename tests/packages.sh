#!/bin/sh
# tests/packages.sh - install the Debian packages that one of the Makefile's verbs needs.
#
#   sh tests/packages.sh build|demo|check|bench|users
#
# Says what is missing and installs only that; does nothing when all is there.  demo, check and
# bench also make the system users; users, for `make install`, makes only them.  Installing starts
# no daemon: a policy-rc.d that forbids it is in place meanwhile, unless there is one already.
set -eu

build="gcc make pkg-config libc6-dev libsnmp-dev libevent-dev libconfuse-dev libssl-dev libmnl-dev
	libjansson-dev libcap-dev libblkid-dev"
demo="snmp snmpd snmptrapd iproute2 iputils-ping nftables procps util-linux python3"
check="clang libclang-rt-14-dev libcmocka-dev python3-pytest smitools shellcheck man-db groff
	binutils fence-agents patch spin e2fsprogs"
bench="keepalived corosync"

case "${1:-}" in
build) wanted="$build" ;;
demo) wanted="$build $demo" ;;
check) wanted="$build $demo $check" ;;
bench) wanted="$build $demo $bench" ;;
users) wanted="" ;;
*)
	echo "usage: sh tests/packages.sh build|demo|check|bench|users" >&2
	exit 2
	;;
esac

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

need_root() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "packages: $1; run this as root (sudo)" >&2
		exit 1
	fi
}

policy=/usr/sbin/policy-rc.d
made_policy=no
drop_policy() {
	if [ "$made_policy" = yes ]; then
		rm -f "$policy"
	fi
}

install_packages() {
	echo "packages: installing$1"
	trap drop_policy EXIT
	trap 'exit 130' INT TERM
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		made_policy=yes
		chmod 755 "$policy"
	fi
	export DEBIAN_FRONTEND=noninteractive
	# The lists on the machine may be too old to have what they name.
	# shellcheck disable=SC2086 # a list of words on purpose
	if ! apt-get install -q -y --no-install-recommends $1 >/dev/null 2>&1; then
		apt-get update -q
		# shellcheck disable=SC2086
		apt-get install -q -y --no-install-recommends $1
	fi
	drop_policy
	made_policy=no
}

# make_user USER GROUP
make_user() {
	if ! getent group "$2" >/dev/null; then
		need_root "the group $2 is missing"
		echo "packages: making the system group $2"
		groupadd --system "$2"
	fi
	if ! getent passwd "$1" >/dev/null; then
		need_root "the user $1 is missing"
		echo "packages: making the system user $1 (group $2)"
		useradd --system --gid "$2" --no-create-home --home-dir /nonexistent \
			--shell /usr/sbin/nologin "$1"
	fi
}

missing=""
for package in $wanted; do
	if ! is_installed "$package"; then
		missing="$missing $package"
	fi
done
if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null; then
		echo "packages: missing:$missing; there is no apt-get here to install them" >&2
		exit 1
	fi
	need_root "missing packages:$missing"
	install_packages "$missing"
fi
if [ "$1" != build ]; then
	make_user yoke yoke
	make_user yoke-snmp yoke
	make_user yoke-witness yoke-witness
fi
