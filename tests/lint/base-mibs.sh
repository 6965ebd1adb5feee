#!/bin/sh
# base-mibs.sh DIR - the IETF MIB modules that YOKE-MIB imports, as DIR/SNMPv2-SMI and so on.
#
# Debian's net-snmp and libsmi ship none of them; its erlang-snmp package has the plain text.  It is
# unpacked, not installed.  Does nothing when DIR is complete.
set -eu

dir=${1:?usage: base-mibs.sh DIR}
modules="SNMPv2-SMI SNMPv2-TC SNMPv2-CONF SNMPv2-MIB SNMP-FRAMEWORK-MIB INET-ADDRESS-MIB"

is_complete() {
	for module in $modules; do
		[ -s "$dir/$module" ] || return 1
	done
}

is_complete && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
download() {
	(cd "$work" && apt-get -qq download erlang-snmp 2>"$work/log")
}

# Without package lists, or with old ones, the first try fails.
if ! download && ! { apt-get -qq update 2>>"$work/log" && download; }; then
	cat "$work/log" >&2
	echo "base-mibs.sh: cannot download erlang-snmp: is Debian's archive within reach?" >&2
	exit 1
fi
dpkg-deb -x "$work"/erlang-snmp_*.deb "$work/unpacked"
mkdir -p "$dir"
for module in $modules; do
	cp "$work"/unpacked/usr/lib/erlang/lib/snmp-*/mibs/"$module.mib" "$dir/$module"
done
is_complete
