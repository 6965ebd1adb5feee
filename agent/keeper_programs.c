#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keeper.h"

enum { LOOK_MS = 10000 };

/* What the process that looks has seen of a resource's programs; shared with the keeper. */
struct agent_keeper_seen {
	int error; /* errno of the one that cannot be run; 0: all can */
	int which; /* of conf_programs() */
};

void agent_keeper_programs_init(struct agent_keeper *k)
{
	size_t size = YOKE_RESOURCES_MAX * sizeof(struct agent_keeper_seen);
	bool some = false;
	void *p;

	k->programs.look_at_ms = INT64_MAX;
	for (unsigned i = 0; i < k->conf.resource_count; i++)
		some = some || k->conf.resource[i].type == YOKE_RESOURCE_TYPE_SCRIPT;
	if (!some)
		return;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		yoke_log(YOKE_LOG_ERROR, "programs are not looked at: %s", strerror(errno));
		return;
	}
	k->programs.seen = p;
	k->programs.look_at_ms = 0;
}

void agent_keeper_programs_engine(struct agent_keeper *k)
{
	memset(k->programs.told, 0, sizeof(k->programs.told));
	/* One that looks already has not timed out: what it sees is told when it ends. */
	if (k->programs.seen != NULL && k->programs.pid == 0)
		k->programs.look_at_ms = agent_keeper_now_ms();
}

static void look_at(struct agent_keeper_seen *seen, const struct conf_resource *r)
{
	const char *programs[CONF_PROGRAMS];
	int error = 0;

	conf_programs(r, programs);
	for (int i = 0; i < CONF_PROGRAMS && error == 0; i++) {
		if (programs[i][0] == '\0')
			continue;
		seen->which = i;
		seen->error = ETIMEDOUT; /* as long as this call does not come back */
		error = access(programs[i], X_OK) < 0 ? errno : 0;
	}
	seen->error = error;
}

/* The keeper's watchdog must not stay open for a call that does not come back. */
static void look_at_all(const struct agent_keeper *k) __attribute__((noreturn));
static void look_at_all(const struct agent_keeper *k)
{
	close_range(0, ~0U, 0);
	for (unsigned i = 0; i < k->conf.resource_count; i++)
		if (k->conf.resource[i].type == YOKE_RESOURCE_TYPE_SCRIPT)
			look_at(&k->programs.seen[i], &k->conf.resource[i]);
	_exit(0);
}

static void tell_one(struct agent_keeper *k, unsigned i)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_PROGRAM};
	const struct agent_keeper_seen seen = k->programs.seen[i];
	const char *programs[CONF_PROGRAMS];

	m.u.program.resource = (uint16_t)(i + 1);
	conf_programs(&k->conf.resource[i], programs);
	if (seen.error != 0)
		snprintf(m.u.program.reason, sizeof(m.u.program.reason), "%s cannot be run: %s",
			 programs[seen.which],
			 seen.error == ETIMEDOUT ? "its file system does not answer"
						 : strerror(seen.error));
	if (k->engine_fd >= 0 && agent_channel_send(k->engine_fd, &m) == 0)
		k->programs.told[i] = seen.error;
}

static void tell(struct agent_keeper *k)
{
	for (unsigned i = 0; i < k->conf.resource_count; i++)
		if (k->programs.seen[i].error != k->programs.told[i])
			tell_one(k, i);
}

void agent_keeper_programs_look(struct agent_keeper *k, int64_t now)
{
	if (now < k->programs.look_at_ms)
		return;
	k->programs.look_at_ms = now + LOOK_MS;
	if (k->programs.pid != 0) {
		tell(k);
		return;
	}
	k->programs.pid = fork();
	if (k->programs.pid == 0)
		look_at_all(k);
	if (k->programs.pid < 0)
		k->programs.pid = 0;
}

bool agent_keeper_programs_ended(struct agent_keeper *k, pid_t pid)
{
	if (pid != k->programs.pid || pid == 0)
		return false;
	k->programs.pid = 0;
	tell(k);
	return true;
}
