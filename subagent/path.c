/* yokePathTable: one row for each path to each other node. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "subagent/tree.h"

enum {
	NAME = 2, /* 1 is the index */
	STATE,
	LOCAL,
	REMOTE,
	LOCAL_ADDRESS_TYPE,
	LOCAL_ADDRESS,
	LOCAL_PORT,
	REMOTE_ADDRESS_TYPE,
	REMOTE_ADDRESS,
	REMOTE_PORT,
	INTERFACE,
	CHANGED,
	SENT,
	RECEIVED,
	MISSED,
	REFUSED_SEAL,
	REFUSED_REPLAY,
	REFUSED_VERSION,
	REFUSED_LENGTH,
	REFUSED_CLUSTER,
	REFUSED_SENDER,
	REFUSED_KEY,
	ROUND_TRIP,
	LOSS,
	FLAPS,
	TYPE,
	REASON,
	ROLE,
	INTERVAL,
	MIN_ROUND_TRIP,
	MEAN_ROUND_TRIP,
	MAX_ROUND_TRIP,
	JITTER,
	LOSS_HOUR,
	DELAYED,
};

/* An end of a path in the terms of INET-ADDRESS-MIB (RFC 4001). */
struct end {
	int32_t type; /* InetAddressType: unknown(0), ipv4(1), ipv6(2) */
	size_t len;   /* of address */
	uint8_t address[16];
	uint32_t port; /* 0: not known */
};

/* Read "192.0.2.1:4747" or "[2001:db8::1]:4747"; anything else is of unknown type. */
static void read_end(const char *text, struct end *end)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	bool bracket = text[0] == '[';
	size_t len;

	memset(end, 0, sizeof(*end));
	if (colon == NULL)
		return;
	len = (size_t)(colon - text);
	if (bracket && len >= 2 && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		return;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(bracket ? AF_INET6 : AF_INET, host, end->address) != 1)
		return;
	end->type = bracket ? 2 : 1;
	end->len = bracket ? 16 : 4;
	end->port = (uint32_t)strtoul(colon + 1, NULL, 10);
}

static unsigned rows(const struct subagent_view *view)
{
	return view->snapshot != NULL ? view->snapshot->link_count : 0;
}

static void index_of(const struct subagent_view *view, unsigned row, uint32_t *index)
{
	index[0] = view->snapshot->link[row].node;
	index[1] = view->snapshot->link[row].path;
}

static void end_value(const struct yoke_snapshot_path *path, uint32_t column,
		      struct subagent_value *v)
{
	struct end local, remote;

	read_end(path->local, &local);
	read_end(path->remote, &remote);
	switch (column) {
	case LOCAL_ADDRESS_TYPE:
		subagent_value_integer(v, local.type);
		break;
	case LOCAL_ADDRESS:
		subagent_value_octets(v, local.address, local.len);
		break;
	case LOCAL_PORT:
		subagent_value_unsigned(v, local.port);
		break;
	case REMOTE_ADDRESS_TYPE:
		subagent_value_integer(v, remote.type);
		break;
	case REMOTE_ADDRESS:
		subagent_value_octets(v, remote.address, remote.len);
		break;
	case REMOTE_PORT:
		subagent_value_unsigned(v, remote.port);
		break;
	}
}

static void counter_value(const struct yoke_snapshot_path *path, uint32_t column,
			  struct subagent_value *v)
{
	switch (column) {
	case SENT:
		subagent_value_counter64(v, path->sent);
		break;
	case RECEIVED:
		subagent_value_counter64(v, path->received);
		break;
	case MISSED:
		subagent_value_counter64(v, path->missed);
		break;
	case REFUSED_SEAL:
		subagent_value_counter64(v, path->refused_seal);
		break;
	case REFUSED_REPLAY:
		subagent_value_counter64(v, path->refused_replay);
		break;
	case REFUSED_VERSION:
		subagent_value_counter64(v, path->refused_version);
		break;
	case REFUSED_LENGTH:
		subagent_value_counter64(v, path->refused_length);
		break;
	case REFUSED_CLUSTER:
		subagent_value_counter64(v, path->refused_cluster);
		break;
	case REFUSED_SENDER:
		subagent_value_counter64(v, path->refused_sender);
		break;
	case REFUSED_KEY:
		subagent_value_counter64(v, path->refused_key);
		break;
	}
}

static void quality_value(const struct yoke_snapshot_path *path, uint32_t column,
			  struct subagent_value *v)
{
	switch (column) {
	case ROUND_TRIP:
		subagent_value_unsigned(v, path->rtt_us);
		break;
	case LOSS:
		subagent_value_unsigned(v, path->loss_permille);
		break;
	case FLAPS:
		subagent_value_counter32(v, path->flaps);
		break;
	case MIN_ROUND_TRIP:
		subagent_value_unsigned(v, path->rtt_min_us);
		break;
	case MEAN_ROUND_TRIP:
		subagent_value_unsigned(v, path->rtt_mean_us);
		break;
	case MAX_ROUND_TRIP:
		subagent_value_unsigned(v, path->rtt_max_us);
		break;
	case JITTER:
		subagent_value_unsigned(v, path->jitter_us);
		break;
	case LOSS_HOUR:
		subagent_value_unsigned(v, path->loss_hour_permille);
		break;
	case DELAYED:
		subagent_value_counter64(v, path->delayed);
		break;
	}
}

static void value(const struct subagent_view *view, unsigned row, uint32_t column,
		  struct subagent_value *v)
{
	const struct yoke_snapshot_path *path = &view->snapshot->link[row];

	switch (column) {
	case NAME:
		subagent_value_text(v, path->name);
		break;
	case STATE:
		subagent_value_word(v, (int)path->state);
		break;
	case LOCAL:
		subagent_value_text(v, path->local);
		break;
	case REMOTE:
		subagent_value_text(v, path->remote);
		break;
	case INTERFACE:
		subagent_value_text(v, path->interface);
		break;
	case CHANGED:
		subagent_value_when(v, path->changed_wall_ms);
		break;
	case TYPE:
		subagent_value_word(v, (int)path->type);
		break;
	case REASON:
		subagent_value_text(v, path->reason);
		break;
	case ROLE:
		subagent_value_word(v, (int)path->role);
		break;
	case INTERVAL:
		subagent_value_unsigned(v, path->interval_ms);
		break;
	default:
		if (column < INTERFACE)
			end_value(path, column, v);
		else if (column < ROUND_TRIP)
			counter_value(path, column, v);
		else
			quality_value(path, column, v);
	}
}

const struct subagent_table subagent_path_table = {
	.prefix = {3, 1},
	.prefix_len = 2,
	.index_len = 2,
	.first_column = NAME,
	.last_column = DELAYED,
	.rows = rows,
	.index = index_of,
	.value = value,
};
