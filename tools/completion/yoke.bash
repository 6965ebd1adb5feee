# Bash completion for yoke(1).  Groups and nodes come from the engine, if it answers within a second.

_yoke_names() {
	# $1: "groups" or "nodes".  The engine writes "name" first in each row of a table.
	local line table
	line=$(timeout 2 yoke status --json --timeout 1 2>/dev/null) || return 0
	table=${line#*\"$1\":\[}
	[ "$table" = "$line" ] && return 0
	grep -oE '[{]"name":"[^"\\]+"' <<<"${table%%\]*}" | sed -E 's/.*"([^"]+)"$/\1/'
}

_yoke_options() {
	case $1 in
	status) echo --socket --json --wide --exit-code --timeout --help ;;
	watch) echo --socket --wide --timeout --help ;;
	history) echo --socket --lines --follow --json --timeout --help ;;
	confirm-down) echo --socket --reason --by --ticket --no-wait --timeout --json --help ;;
	switch | failback | standby | online | maintenance | resume)
		echo --socket --reason --no-wait --timeout --json --help ;;
	config) echo --socket --json --timeout --yes --help ;;
	reload) echo --socket --timeout --yes --help ;;
	key) echo --socket --force --timeout --help ;;
	disk) echo --force --help ;;
	simulate) echo --socket --json --fail --timeout --help ;;
	serial-test) echo --baud --rtscts --timeout --help ;;
	*) echo --help ;;
	esac
}

_yoke() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} offer='' position=0 i
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		offer='status watch history switch failback standby online confirm-down maintenance'
		offer="$offer resume reload config simulate check key disk serial-test replay version"
		COMPREPLY=($(compgen -W "$offer" -- "$word"))
		return
	fi
	case $before in
	--socket)
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	--baud)
		COMPREPLY=($(compgen -W '9600 19200 38400 57600 115200 230400 460800 921600' -- "$word"))
		return
		;;
	--reason | --by | --ticket | --timeout | --lines | -n) return ;;
	esac
	if [ "${word:0:1}" = - ]; then
		COMPREPLY=($(compgen -W "$(_yoke_options "$verb")" -- "$word"))
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --reason | --by | --ticket | --timeout | --lines | -n | --baud) i=$((i + 1)) ;;
		-*) ;;
		*) position=$((position + 1)) ;;
		esac
	done
	case $verb:$position in
	switch:0 | failback:0) offer=$(_yoke_names groups) ;;
	switch:1 | standby:0 | online:0 | confirm-down:0) offer=$(_yoke_names nodes) ;;
	maintenance:0 | resume:0) offer='group node' ;;
	maintenance:1 | resume:1) offer=$(_yoke_names "${COMP_WORDS[COMP_CWORD - 1]}s") ;;
	simulate:*) offer="$(_yoke_names nodes) $(_yoke_names paths) $(_yoke_names resources)" ;;
	config:0) offer='diff push' ;;
	config:1) offer=$(_yoke_names nodes) ;;
	key:0) offer='generate list rotate retire reload' ;;
	disk:0) offer='init show' ;;
	check:0 | replay:0 | key:1 | disk:1 | serial-test:0)
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	esac
	COMPREPLY=($(compgen -W "$offer" -- "$word"))
}

complete -F _yoke yoke
