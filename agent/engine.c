#include "agent/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/privilege.h"
#include "agent/role.h"

enum { RECORD_WAIT_MS = 2000 };

static int say(const char *what, const char *why)
{
	yoke_log(YOKE_LOG_ERROR, "%s: %s", what, why);
	return -1;
}

static int read_conf(struct agent_engine *e, const char *node)
{
	static struct conf_problems problems;
	struct stat st;
	char why[YOKE_REASON_SIZE];
	char *text;
	int self;

	if (fstat(AGENT_ROLE_FD_CONF, &st) < 0)
		return say("configuration", strerror(errno));
	text = calloc(1, (size_t)st.st_size + 1);
	if (text == NULL ||
	    pread(AGENT_ROLE_FD_CONF, text, (size_t)st.st_size, 0) != (ssize_t)st.st_size) {
		free(text);
		return say("configuration", "cannot be read from the keeper");
	}
	if (conf_parse(text, "yoke.conf", &e->conf, &problems) < 0) {
		free(text);
		return say("configuration", problems.problem[0].text);
	}
	free(text);
	conf_digest(&e->conf);
	self = conf_self(&e->conf, node, why);
	if (self < 0)
		return say("node", why);
	e->self = (uint16_t)(self + 1);
	yoke_log_open("yoked", e->conf.log_syslog ? YOKE_LOG_SYSLOG : YOKE_LOG_STDERR,
		      e->conf.log_debug ? YOKE_LOG_DEBUG : YOKE_LOG_INFO);
	return 0;
}

static int start_heartbeats(struct agent_engine *e, uint64_t incarnation, yoke_time now)
{
	static struct hb_conf conf;
	struct conf_keys keys;
	struct hb_keys hb_keys;
	char why[YOKE_REASON_SIZE];
	int rc;

	if (agent_keys_take(AGENT_ROLE_FD_KEY, &keys) < 0)
		return say("key", "cannot be read from the keeper");
	agent_keys_hb(&keys, &hb_keys);
	for (unsigned i = 0; i < keys.count; i++)
		e->key_made_s[i] = keys.key[i].made_s;
	agent_setup_hb(&e->conf, e->self, incarnation, &hb_keys, &conf);
	rc = hb_init(&e->hb, &conf, now, why);
	if (rc == 0 && agent_ask_init(&e->asks, &e->conf, e->self, incarnation, &hb_keys) < 0) {
		snprintf(why, sizeof(why), "the crypto library fails");
		rc = -1;
	}
	explicit_bzero(&keys, sizeof(keys));
	explicit_bzero(&hb_keys, sizeof(hb_keys));
	explicit_bzero(&conf, sizeof(conf));
	close(AGENT_ROLE_FD_KEY);
	return rc == 0 ? 0 : say("heartbeats", why);
}

/* The keeper went on with another configuration, and this is the first engine that has it. */
static void take_reload(struct agent_engine *e)
{
	e->reloads_told = atomic_load(&e->shared->reloads);
	if (!atomic_exchange(&e->shared->reloaded, false))
		return;
	e->shared->legacy = (struct core_legacy){0}; /* arbiters may be others */
	e->shared->reload_reason[0] = '\0';
	atomic_fetch_add(&e->shared->reloads, 1);
}

static int take_missing(struct agent_engine *e)
{
	struct agent_channel_message *m = &e->message;

	if (agent_channel_wait(AGENT_ROLE_FD_CHANNEL, m, RECORD_WAIT_MS) != 1 ||
	    m->kind != AGENT_CHANNEL_MISSING)
		return say("what may be missing", "the keeper did not tell");
	memcpy(e->missing, m->u.missing.resource, sizeof(e->missing));
	return 0;
}

static int start_core(struct agent_engine *e, uint64_t incarnation, yoke_time now)
{
	struct agent_channel_message *m = &e->message;
	const char *hold = NULL;

	if (take_missing(e) < 0)
		return -1;
	if (agent_channel_wait(AGENT_ROLE_FD_CHANNEL, m, RECORD_WAIT_MS) != 1 ||
	    m->kind != AGENT_CHANNEL_RECORD)
		return say("record", "the keeper did not send it");
	if (m->u.record.reason[0] != '\0')
		hold = m->u.record.reason;
	agent_setup_core(&e->conf, e->self, incarnation, &e->core_conf);
	for (uint16_t r = 0; r < e->conf.resource_count; r++)
		e->core_conf.resource[r].added = e->missing[r];
	take_reload(e);
	if (atomic_load(&e->shared->engines) > 1) {
		agent_setup_restarted(&e->core_conf);
		e->core_conf.legacy = e->shared->legacy;
		e->core_conf.before.us = atomic_load(&e->shared->before_us);
	}
	e->core_conf.ran_exclusive = atomic_load(&e->shared->is_exclusive);
	if (e->core_conf.ran_exclusive)
		e->core_conf.lease.us = atomic_load(&e->shared->lease_until_us);
	core_init(&e->core, &e->core_conf, m->u.record.bytes, m->u.record.size, hold, now);
	agent_shared_begin(e->shared, &e->core);
	return 0;
}

static int start_addresses(struct agent_engine *e, yoke_time now)
{
	static struct agent_address_conf confs[YOKE_RESOURCES_MAX];
	char why[YOKE_REASON_SIZE];
	unsigned count = agent_setup_addresses(&e->conf, confs, e->address);

	e->notes.count = 0;
	if (agent_address_init(&e->addresses, confs, count, e->conf.refresh_ms, now, &e->notes,
			       why) < 0)
		return say("addresses", why);
	return 0;
}

/* Learn what is usable, then look at once: an address that runs here is adopted before the peer's
 * patience is over. */
static void first_steps(struct agent_engine *e, yoke_time now)
{
	struct core_event ev = {.type = CORE_TIMER, .now = now};

	agent_engine_feed_notes(e, now);
	agent_engine_feed_scripts(e, now);
	agent_engine_feed_clock(e, now);
	agent_engine_feed_watchdog(e, now);
	agent_engine_feed(e, &ev);
}

int agent_engine_run(const char *node, pid_t keeper, int64_t snmp_uid)
{
	static struct agent_engine e;
	char why[YOKE_REASON_SIZE] = "";
	uint64_t incarnation = 0;
	yoke_time now;

	if (agent_privilege_bind(keeper) < 0)
		return 1;
	prctl(PR_SET_DUMPABLE, 0); /* the key is in here */
	e.snmp_uid = snmp_uid;
	if (read_conf(&e, node) < 0)
		return 1;
	e.shared = agent_shared_map(AGENT_ROLE_FD_SHARED, true);
	if (e.shared == NULL)
		return say("shared memory", strerror(errno)) < 0;
	while (incarnation == 0)
		if (getrandom(&incarnation, sizeof(incarnation), 0) != (ssize_t)sizeof(incarnation))
			return say("getrandom", strerror(errno)) < 0;
	tzset();
	agent_setup_names(&e.conf, &e.names);
	e.shared->names = e.names;
	e.started_wall_ms = agent_engine_wall_ms();
	e.realtime = agent_privilege_realtime(AGENT_ROLE_PRIORITY_ENGINE, false, why) == 0;
	now = agent_engine_now();
	if (start_core(&e, incarnation, now) < 0 || start_addresses(&e, now) < 0 ||
	    start_heartbeats(&e, incarnation, now) < 0)
		return 1;
	first_steps(&e, agent_engine_now());
	if (!e.realtime)
		agent_history_note(&e, YOKE_EVENT_NO_REALTIME, 0, why);
	return agent_loop_run(&e);
}
