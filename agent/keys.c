#include "agent/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/engine.h"
#include "agent/role.h"

int agent_keys_share(const char *file_name, char *why)
{
	struct conf_keys keys;
	int fd;

	memset(&keys, 0, sizeof(keys));
	if (conf_keys_load(file_name, &keys, why) < 0)
		return -1;
	fd = memfd_create("yoke.key", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, &keys, sizeof(keys)) != (ssize_t)sizeof(keys) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		snprintf(why, CONF_PROBLEM_SIZE, "memfd: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	explicit_bzero(&keys, sizeof(keys));
	return fd;
}

int agent_keys_take(int fd, struct conf_keys *keys)
{
	struct stat st;

	memset(keys, 0, sizeof(*keys));
	if (fstat(fd, &st) < 0 || st.st_size > (off_t)sizeof(*keys) ||
	    pread(fd, keys, (size_t)st.st_size, 0) != st.st_size)
		return -1;
	if (st.st_size == CONF_KEY_SIZE) {
		keys->count = 1;
		keys->key[0].id = 1;
		return 0;
	}
	return st.st_size == sizeof(*keys) && keys->count >= 1 && keys->count <= CONF_KEYS_MAX ? 0
											       : -1;
}

void agent_keys_hb(const struct conf_keys *keys, struct hb_keys *hb)
{
	memset(hb, 0, sizeof(*hb));
	hb->count = keys->count;
	for (unsigned i = 0; i < keys->count; i++) {
		hb->key[i].id = keys->key[i].id;
		memcpy(hb->key[i].bytes, keys->key[i].bytes, HB_KEY_SIZE);
	}
}

/* ---- engine ---- */

/* Say how it ended: to who asked, in the snapshot, and to history. */
static void ended(struct agent_engine *e, const char *reason)
{
	e->key_reads++;
	snprintf(e->key_reason, sizeof(e->key_reason), "%s", reason);
	if (reason[0] != '\0')
		agent_history_note(e, YOKE_EVENT_KEYS_REFUSED, 0, reason);
}

void agent_keys_ask(struct agent_engine *e)
{
	e->message.kind = AGENT_CHANNEL_KEYS;
	memset(&e->message.u.keys, 0, sizeof(e->message.u.keys));
	if (agent_channel_send(AGENT_ROLE_FD_CHANNEL, &e->message) < 0)
		ended(e, "the keeper does not read now: try again");
}

/* Would a node that is in contact be cut off by these? */
static bool cuts_off(const struct agent_engine *e, const struct hb_keys *keys, char *why)
{
	int from[HB_KEYS_MAX];

	hb_key_map(keys, &e->hb.conf.keys, from);
	for (uint16_t n = 1; n <= e->conf.node_count; n++) {
		const struct hb_peer *peer = &e->hb.peer[n - 1];
		int at = hb_key_find(keys, peer->sealed_key);

		if (n == e->self || !hb_peer_is_proven(peer, agent_engine_now()) ||
		    (at >= 0 && from[at] >= 0))
			continue;
		snprintf(why, YOKE_REASON_SIZE,
			 "node %.31s seals with key %u, which the file does not have",
			 e->conf.node[n - 1].name, peer->sealed_key);
		return true;
	}
	return false;
}

static int use(struct agent_engine *e, const struct conf_keys *keys, yoke_time now, char *why)
{
	struct hb_keys hb;
	int result = -1;

	agent_keys_hb(keys, &hb);
	if (cuts_off(e, &hb, why))
		goto out;
	if (agent_ask_set_keys(&e->asks, &hb) < 0 || hb_set_keys(&e->hb, &hb, now) < 0) {
		snprintf(why, YOKE_REASON_SIZE, "the crypto library fails");
		goto out;
	}
	for (unsigned i = 0; i < keys->count; i++)
		e->key_made_s[i] = keys->key[i].made_s;
	result = 0;
out:
	explicit_bzero(&hb, sizeof(hb));
	return result;
}

static void tell(struct agent_engine *e)
{
	const struct hb_keys *keys = &e->hb.conf.keys;
	char text[YOKE_REASON_SIZE];

	if (keys->count == 1)
		snprintf(text, sizeof(text), "key %u", keys->key[0].id);
	else
		snprintf(text, sizeof(text), "keys %u and %u", keys->key[0].id, keys->key[1].id);
	e->message.kind = AGENT_CHANNEL_KEYS_TAKEN;
	agent_channel_send(AGENT_ROLE_FD_CHANNEL, &e->message);
	agent_history_note(e, YOKE_EVENT_KEYS_TAKEN, 0, text);
	ended(e, "");
}

void agent_keys_read(struct agent_engine *e, int fd, yoke_time now)
{
	char why[YOKE_REASON_SIZE];
	struct conf_keys keys;

	if (fd < 0) {
		memcpy(why, e->message.u.keys_read.reason, sizeof(why));
		ended(e, why);
		return;
	}
	if (agent_keys_take(fd, &keys) < 0)
		ended(e, "cannot be read from the keeper");
	else if (use(e, &keys, now, why) < 0)
		ended(e, why);
	else
		tell(e);
	explicit_bzero(&keys, sizeof(keys));
	close(fd);
}

uint8_t agent_keys_common(const struct agent_engine *e)
{
	const struct hb_keys *keys = &e->hb.conf.keys;

	for (uint16_t n = 1; n <= e->conf.node_count; n++)
		if (n != e->self && !hb_has_shown(&e->hb, n, keys->count - 1))
			return 0;
	return keys->count > 1 ? keys->key[keys->count - 1].id : 0;
}

void agent_keys_view(const struct agent_engine *e, struct yoke_snapshot *s)
{
	const struct hb_keys *keys = &e->hb.conf.keys;

	s->key_reads = e->key_reads;
	memcpy(s->key_reason, e->key_reason, sizeof(s->key_reason));
	s->key_count = keys->count;
	for (unsigned i = 0; i < keys->count; i++) {
		struct yoke_snapshot_key *v = &s->key[i];

		v->id = keys->key[i].id;
		v->made_wall_ms = e->key_made_s[i] * 1000;
		v->shown = true;
		for (uint16_t n = 1; n <= e->conf.node_count; n++) {
			const struct hb_peer *peer = &e->hb.peer[n - 1];

			if (n == e->self)
				continue;
			v->shown = v->shown && hb_has_shown(&e->hb, n, i);
			v->seals = v->seals || hb_sealing_key(&e->hb, n) == v->id;
			v->opens = v->opens || (peer->sealed_key == v->id &&
						hb_peer_is_proven(peer, agent_engine_now()));
		}
		v->arbiters = agent_ask_key_used(&e->asks, v->id);
		for (unsigned a = 0; a < e->conf.arbiter_count; a++)
			v->arbiters = v->arbiters || e->disk_key[a] == v->id;
	}
}
