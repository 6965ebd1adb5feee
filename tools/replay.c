/* yoke replay: what the flight recorder saw, run through the same core once more.
 *
 * Each segment begins with a copy of the core; its events are fed to that copy, and what the core
 * answers is printed.  When a segment ends, the replayed core must equal the copy that the next one
 * began with, byte for byte, unless the engine was started anew there: that is the proof that the
 * trace shows what really happened.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/core/core.h"
#include "agent/shared.h"
#include "tools/tool.h"

enum { NOBODY = 65534 };

static struct core core;
static struct core_actions actions;
static struct core_event event;

static void stamp(yoke_time now)
{
	printf("%10lld.%06lld  ", (long long)(now.us / 1000000), (long long)(now.us % 1000000));
}

static const char *name(const char (*names)[YOKE_NAME_SIZE], unsigned count, unsigned n)
{
	return yoke_name_of(names, count, n);
}

static const char *run_word(enum core_run_kind kind)
{
	static const char *const words[] = {"?", "probe", "prepare", "start", "stop", "monitor"};

	return kind >= CORE_RUN_PROBE && kind <= CORE_RUN_MONITOR ? words[kind] : words[0];
}

static const char *result_word(enum core_result result)
{
	static const char *const words[] = {"?",       "done",     "failed", "running",
					    "stopped", "answered", "late",   "fatal"};

	return result >= CORE_RESULT_DONE && result <= CORE_RESULT_FATAL ? words[result] : words[0];
}

static void print_resource_news(const struct yoke_names *n, const struct core_event *ev)
{
	static const char *const words[] = {"?", "usable", "unusable", "lost", "in doubt"};
	unsigned news = ev->u.resource.news;

	printf("resource %s is %s %s\n",
	       name(n->resource, n->resource_count, ev->u.resource.resource),
	       news <= CORE_NEWS_DOUBT ? words[news] : words[0], ev->u.resource.reason);
}

static const char *ask_word(enum core_ask_kind kind)
{
	static const char *const words[] = {"?",     "off",     "status", "read", "write",
					    "claim", "release", "look",   "ping"};

	return kind >= CORE_ASK_OFF && kind <= CORE_ASK_PING ? words[kind] : words[0];
}

static void print_event(const struct yoke_names *n, const struct core_event *ev)
{
	stamp(ev->now);
	printf("> ");
	switch (ev->type) {
	case CORE_TIMER:
		printf("timer\n");
		return;
	case CORE_PATH:
		printf("path %s to %s is %s\n", name(n->path, n->path_count, ev->u.path.path),
		       name(n->node, n->node_count, ev->u.path.node),
		       yoke_word_path_state(ev->u.path.state));
		return;
	case CORE_MESSAGE:
		printf("message from %s on %s, %u bytes\n",
		       name(n->node, n->node_count, ev->u.message.node),
		       name(n->path, n->path_count, ev->u.message.path), ev->u.message.size);
		return;
	case CORE_RESULT:
		printf("run %u: %s %s\n", ev->u.result.id, result_word(ev->u.result.result),
		       ev->u.result.reason);
		return;
	case CORE_RESOURCE:
		print_resource_news(n, ev);
		return;
	case CORE_SAVED:
		printf("record %u %s %s\n", ev->u.saved.version,
		       ev->u.saved.ok ? "saved" : "not saved", ev->u.saved.reason);
		return;
	case CORE_OPERATE:
		printf("operator: %s %s %s (%s)\n", yoke_word_verb(ev->u.operate.verb),
		       name(n->group, n->group_count, ev->u.operate.group),
		       name(n->node, n->node_count, ev->u.operate.node), ev->u.operate.reason);
		return;
	case CORE_CLOCK:
		printf("minute %u of the day\n", ev->u.clock.minute);
		return;
	case CORE_RETIRE:
		printf("stop what another configuration does not have\n");
		return;
	case CORE_WATCHDOG:
		printf("the watchdog %s\n", ev->u.watchdog.works ? "works" : "does not work");
		return;
	case CORE_FOREIGN:
		printf("%s speaks protocol %u to %u\n",
		       name(n->node, n->node_count, ev->u.foreign.node), ev->u.foreign.min,
		       ev->u.foreign.max);
		return;
	case CORE_STALL:
		printf("stalled for %u ms\n", ev->u.stall.stall_ms);
		return;
	case CORE_LEAVE:
		printf("leave\n");
		return;
	case CORE_ANSWER:
		printf("ask %u: %s %s\n", ev->u.answer.id, result_word(ev->u.answer.result),
		       ev->u.answer.reason);
		return;
	}
	printf("?\n");
}

static void print_action(const struct yoke_names *n, struct core_action *a)
{
	switch (a->type) {
	case CORE_RUN:
		printf("                     < run %u: %s %s, %u ms\n", a->u.run.id,
		       run_word(a->u.run.kind),
		       name(n->resource, n->resource_count, a->u.run.resource),
		       a->u.run.timeout_ms);
		break;
	case CORE_ANNOUNCE:
		printf("                     < announce %s\n",
		       name(n->resource, n->resource_count, a->u.announce.resource));
		break;
	case CORE_CANCEL:
		printf("                     < cancel run %u\n", a->u.cancel.id);
		break;
	case CORE_SAVE:
		printf("                     < save record %u\n", a->u.save.version);
		break;
	case CORE_REPLY:
		printf("                     < reply %s\n", yoke_word_verdict(a->u.reply.verdict));
		break;
	case CORE_EVENT:
		yoke_event_render(&a->u.event, n);
		printf("                     * %s\n", a->u.event.text);
		break;
	case CORE_SEND:
		printf("                     < send state\n");
		break;
	case CORE_EXIT:
		printf("                     < exit\n");
		break;
	case CORE_ASK:
		printf("                     < ask %u: %s %s %s, %u ms\n", a->u.ask.id,
		       ask_word(a->u.ask.kind),
		       name(n->arbiter, n->arbiter_count, a->u.ask.arbiter),
		       a->u.ask.node == 0 ? "" : name(n->node, n->node_count, a->u.ask.node),
		       a->u.ask.timeout_ms);
		break;
	case CORE_LEASE:
		printf("                     < lease until %lld.%06lld%s%s\n",
		       (long long)(a->u.lease.until.us / 1000000),
		       (long long)(a->u.lease.until.us % 1000000),
		       a->u.lease.exclusive ? ", exclusive groups run" : "",
		       a->u.lease.reset ? ", reset the machine" : "");
		break;
	case CORE_BEAT:
		break;
	}
}

/* Does the core accept the event?  A damaged file must not trip its assertions. */
static bool acceptable(const struct core *c, const struct core_event *ev)
{
	if (yoke_time_before(ev->now, c->now))
		return false;
	if (ev->type == CORE_PATH)
		return ev->u.path.node >= 1 && ev->u.path.node <= c->conf.node_count &&
		       ev->u.path.path >= 1 && ev->u.path.path <= c->conf.path_count;
	if (ev->type == CORE_MESSAGE)
		return ev->u.message.node >= 1 && ev->u.message.node <= c->conf.node_count &&
		       ev->u.message.size <= YOKE_MESSAGE_SIZE;
	if (ev->type == CORE_RESOURCE)
		return ev->u.resource.resource >= 1 &&
		       ev->u.resource.resource <= c->conf.resource_count;
	if (ev->type == CORE_FOREIGN)
		return ev->u.foreign.node >= 1 && ev->u.foreign.node <= c->conf.node_count;
	return ev->type >= CORE_TIMER && ev->type <= CORE_WATCHDOG;
}

/* Returns the number of events; -1 when the segment is damaged. */
static long replay_segment(const struct agent_shared *shared, const struct agent_shared_segment *s)
{
	uint32_t at = 0, size;
	long count = 0;

	core = s->core;
	if (core_check(&core) != NULL)
		return -1;
	while (at + sizeof(size) <= s->used && s->used <= AGENT_SHARED_SEGMENT_SIZE) {
		memcpy(&size, s->events + at, sizeof(size));
		at += (uint32_t)sizeof(size);
		if (size > sizeof(event) || size > s->used - at)
			return -1;
		memset(&event, 0, sizeof(event));
		memcpy(&event, s->events + at, size);
		at += size;
		if (!acceptable(&core, &event))
			return -1;
		print_event(&shared->names, &event);
		core_step(&core, &event, &actions);
		for (unsigned i = 0; i < actions.count; i++)
			print_action(&shared->names, &actions.action[i]);
		count++;
	}
	return count;
}

static bool plausible_groups(const struct core_conf *conf)
{
	for (unsigned g = 0; g < conf->group_count; g++) {
		const struct core_group_conf *group = &conf->group[g];

		if (group->node_count > YOKE_NODES_MAX ||
		    group->resource_count > CORE_GROUP_RESOURCES_MAX ||
		    group->resource_first + group->resource_count > conf->resource_count)
			return false;
		for (unsigned n = 0; n < group->node_count; n++)
			if (group->node[n] < 1 || group->node[n] > conf->node_count)
				return false;
	}
	for (unsigned r = 0; r < conf->resource_count; r++)
		if (conf->resource[r].group < 1 || conf->resource[r].group > conf->group_count)
			return false;
	return true;
}

static bool plausible_operation(const struct core_conf *conf, const struct core_operation *op)
{
	return op->group <= conf->group_count && op->node <= conf->node_count;
}

/* The engine can write the file, and the core trusts its own memory: every number that it uses as
 * an index is looked at here. */
static bool plausible(const struct core *c)
{
	const struct core_conf *conf = &c->conf;

	if (conf->self < 1 || conf->self > conf->node_count || conf->node_count > YOKE_NODES_MAX ||
	    conf->path_count > YOKE_PATHS_MAX || conf->group_count > YOKE_GROUPS_MAX ||
	    conf->resource_count > YOKE_RESOURCES_MAX || !plausible_groups(conf))
		return false;
	for (unsigned n = 0; n < conf->node_count; n++)
		if (c->node[n].hwaddr_count > YOKE_HWADDRS_MAX ||
		    !plausible_operation(conf, &c->node[n].operation))
			return false;
	for (unsigned i = 0; i < YOKE_OPERATIONS_MAX; i++)
		if (!plausible_operation(conf, &c->history[i]))
			return false;
	for (unsigned g = 0; g < conf->group_count; g++)
		if (c->group[g].owner > conf->node_count ||
		    c->group[g].conflict > conf->node_count ||
		    c->group[g].prepare_by > conf->node_count ||
		    c->group[g].told_of > conf->node_count)
			return false;
	return true;
}

/* Root needs no rights to read what it has opened; a damaged file must not gain any. */
static bool drop_rights(void)
{
	return geteuid() != 0 ||
	       (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static int replay(const struct agent_shared *shared)
{
	uint32_t newest = shared->segment % AGENT_SHARED_SEGMENTS;
	uint64_t replayed = 0;

	for (uint32_t i = 1; i <= AGENT_SHARED_SEGMENTS; i++) {
		const struct agent_shared_segment *s =
			&shared->recorder[(newest + i) % AGENT_SHARED_SEGMENTS];
		long count;

		if (s->number == 0)
			continue;
		if (!plausible(&s->core)) {
			fprintf(stderr, "yoke: replay: segment %llu is damaged\n",
				(unsigned long long)s->number);
			return TOOL_FAILED;
		}
		if (replayed == s->number - 1 && replayed != 0 && !s->core.fresh &&
		    memcmp(&core, &s->core, sizeof(core)) != 0) {
			fprintf(stderr,
				"yoke: replay: the core did not do the same again before "
				"segment %llu: this yoke is not the one that recorded\n",
				(unsigned long long)s->number);
			return TOOL_FAILED;
		}
		printf("--- segment %llu, node %s\n", (unsigned long long)s->number,
		       name(shared->names.node, shared->names.node_count, s->core.conf.self));
		count = replay_segment(shared, s);
		if (count < 0) {
			fprintf(stderr, "yoke: replay: segment %llu is damaged\n",
				(unsigned long long)s->number);
			return TOOL_FAILED;
		}
		printf("--- %ld events\n", count);
		replayed = s->number;
	}
	return TOOL_OK;
}

int tool_replay(int argc, char **argv)
{
	struct agent_shared *shared;
	const char *file = argc > 1 ? argv[1] : "/run/yoke/recorder";

	if (agent_shared_open(file, false, &shared) < 0) {
		fprintf(stderr, "yoke: %s: %s\n", file,
			errno == EINVAL ? "not a flight recorder of this yoke" : strerror(errno));
		return TOOL_FAILED;
	}
	if (!drop_rights()) {
		fprintf(stderr, "yoke: cannot drop root's rights: %s\n", strerror(errno));
		return TOOL_FAILED;
	}
	return replay(shared);
}
