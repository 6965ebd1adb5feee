/* The configuration is read again while everything runs.
 *
 *   NOT --SIGHUP--> TRIED --it could--> RETIRING --all has ended--> as an exchange of the program
 *    ^                | it could not        | not in time
 *    +----------------+---------------------+
 *
 * A process of its own, of the program that is installed now, reads and checks the file, compares
 * it with the running one, and leaves the new one in memory of ours.  What this node is not to run
 * any more is then stopped by the engine that knows how.  From there it is an exchange of the
 * program (keeper_renew.c), with the new configuration: so the other node notices an engine's
 * restart, and what stays is adopted as it is.  When it fails before that, what was stopped is
 * started again.
 *
 * Which resources may be missing of a group that runs is kept here, until the engine says that they
 * are not: whenever an engine dies, the next one starts them, and does not stop the group for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keeper.h"
#include "agent/role.h"

enum { TRIAL_MS = 10000, LEAVE_GRACE_MS = 5000 };

/* ---- the keeper ---- */

/* What is to go by now: nothing, when it is called off. */
static void send_retire(struct agent_keeper *k)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_RETIRE};

	m.u.retire.serial = k->retire_serial;
	if (k->next_fd >= 0) {
		memcpy(m.u.retire.group, k->change.group_ends, sizeof(m.u.retire.group));
		memcpy(m.u.retire.resource, k->change.resource_ends, sizeof(m.u.retire.resource));
	}
	/* An engine that starts is told then. */
	k->retire_waits = k->engine_fd >= 0 && agent_channel_send(k->engine_fd, &m) < 0;
}

static void tell_engine(struct agent_keeper *k)
{
	/* Also when this engine ends before it tells. */
	for (unsigned r = 0; k->next_fd >= 0 && r < YOKE_RESOURCES_MAX; r++)
		k->missing[r] = k->missing[r] || k->change.resource_ends[r];
	k->retire_serial++;
	send_retire(k);
}

void agent_keeper_reload_look(struct agent_keeper *k)
{
	if (k->retire_waits)
		send_retire(k);
}

void agent_keeper_reload_ended(struct agent_keeper *k, const char *why)
{
	if (k->next_fd < 0)
		return;
	close(k->next_fd);
	k->next_fd = -1;
	if (k->change.ends > 0)
		tell_engine(k);
	k->change.ends = 0;
	agent_keeper_courier_refused(k, why);
	snprintf(k->shared->reload_reason, sizeof(k->shared->reload_reason), "%s", why);
	atomic_fetch_add(&k->shared->reloads, 1);
}

void agent_keeper_reload(struct agent_keeper *k)
{
	if (k->leaving || agent_keeper_renew_is_busy(k)) {
		yoke_log(YOKE_LOG_WARNING, "the configuration is not read again now: %s",
			 k->leaving ? "this node is leaving" : "that is under way");
		return;
	}
	k->next_fd = memfd_create("yoke.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (k->next_fd < 0) {
		yoke_log(YOKE_LOG_ERROR, "memfd_create: %s", strerror(errno));
		return;
	}
	memset(&k->change, 0, sizeof(k->change));
	agent_keeper_renew_try(k, TRIAL_MS);
}

/* What the trial has left: why not. */
static void refused(struct agent_keeper *k)
{
	char why[YOKE_REASON_SIZE];
	ssize_t size = pread(k->next_fd, why, sizeof(why) - 1, 0);

	why[size > 0 ? size : 0] = '\0';
	agent_keeper_renew_give_up(k, size > 0 ? why : "it cannot be tried");
}

void agent_keeper_reload_tried(struct agent_keeper *k, int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		refused(k);
		return;
	}
	if (fcntl(k->next_fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    agent_role_read_conf(k->next_fd, &k->next) < 0) {
		agent_keeper_renew_give_up(k, "it cannot be read again");
		return;
	}
	conf_change(&k->conf, &k->next, (unsigned)k->self, &k->change);
	/* The trial is of another program, which may allow what this one cannot do. */
	if (k->change.refusal_count > 0) {
		agent_keeper_renew_give_up(k, k->change.refusal[0]);
		return;
	}
	if (conf_change_cuts(&k->change, atomic_load(&k->shared->paths_up))) {
		memset(&k->change, 0, sizeof(k->change)); /* nothing was told to be called off */
		agent_keeper_renew_give_up(k, conf_change_cuts_text);
		return;
	}
	k->renewal = AGENT_RENEW_WAITS;
	if (k->change.ends == 0)
		return;
	k->renewal = AGENT_RENEW_RETIRING;
	k->renew_until_ms = agent_keeper_now_ms() + agent_keeper_stop_ms(&k->conf) + LEAVE_GRACE_MS;
	tell_engine(k);
}

void agent_keeper_reload_missing(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (m->u.missing.serial == k->retire_serial) /* else it does not know yet */
		memcpy(k->missing, m->u.missing.resource, sizeof(k->missing));
}

/* What comes, and what was missing already. */
static bool will_miss(const struct agent_keeper *k, unsigned resource)
{
	if (k->next_fd < 0)
		return k->missing[resource];
	if (resource >= k->next.resource_count)
		return false;
	return k->change.was[resource] == 0 || k->missing[k->change.was[resource] - 1];
}

void agent_keeper_reload_leave(const struct agent_keeper *k, char text[AGENT_KEEPER_MISSING_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < AGENT_KEEPER_MISSING_SIZE - 1; i++) {
		unsigned bits = 0;

		for (unsigned b = 0; b < 4; b++)
			bits |= (unsigned)will_miss(k, 4 * i + b) << b;
		text[i] = digits[bits];
	}
	text[AGENT_KEEPER_MISSING_SIZE - 1] = '\0';
}

int agent_keeper_reload_take(struct agent_keeper *k, const char *text)
{
	static const char digits[] = "0123456789abcdef";

	/* Another version may know of fewer resources, or of more. */
	for (unsigned i = 0; text[i] != '\0'; i++) {
		const char *digit = strchr(digits, text[i]);

		if (digit == NULL)
			return -1;
		for (unsigned r = 4 * i; r < 4 * i + 4 && r < YOKE_RESOURCES_MAX; r++)
			k->missing[r] = ((digit - digits) >> r % 4 & 1) != 0;
	}
	return text[0] == '\0' ? -1 : 0;
}

void agent_keeper_reload_engine(struct agent_keeper *k)
{
	k->retire_serial = 0;
	k->retire_waits = false;
	if (k->next_fd >= 0 && k->change.ends > 0)
		tell_engine(k);
}

void agent_keeper_reload_retired(struct agent_keeper *k, const struct agent_channel_message *m)
{
	if (k->renewal == AGENT_RENEW_RETIRING && m->u.retired.serial == k->retire_serial)
		k->renewal = AGENT_RENEW_WAITS;
}

/* ---- the trial ---- */

static int leave_text(const char *text, size_t size)
{
	return write(AGENT_ROLE_FD_CHANNEL, text, size) == (ssize_t)size ? 0 : -1;
}

static void leave_reason(const char *reason)
{
	yoke_log(YOKE_LOG_ERROR, "%s", reason);
	if (lseek(AGENT_ROLE_FD_CHANNEL, 0, SEEK_END) == 0) /* the first one is told */
		(void)leave_text(reason, strlen(reason));
}

static int leave_conf(const struct conf *conf)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (out == NULL)
		return -1;
	conf_print(conf, out);
	rc = fclose(out) == 0 ? leave_text(text, size) : -1;
	free(text);
	return rc;
}

/* Not static: the engine, which is the same program, locks all that is. */
struct trial {
	struct conf conf, next;
	struct conf_change change;
	struct conf_problems problems;
};

static int load(struct trial *t, const char *conf_file, const char *node)
{
	char why[YOKE_REASON_SIZE], line[CONF_PROBLEM_SIZE + 32];
	int rc = conf_load(conf_file, &t->next, &t->problems);

	for (unsigned i = 0; rc < 0 && i < t->problems.count; i++) {
		if (t->problems.problem[i].warning)
			continue;
		if (t->problems.problem[i].line > 0)
			snprintf(line, sizeof(line), "line %d: %s", t->problems.problem[i].line,
				 t->problems.problem[i].text);
		else
			snprintf(line, sizeof(line), "%s", t->problems.problem[i].text);
		leave_reason(line);
	}
	if (rc == 0 && conf_self(&t->next, node, why) < 0) {
		leave_reason(why);
		rc = -1;
	}
	return rc;
}

static int try(struct trial *t, const char *conf_file, const char *node)
{
	char why[YOKE_REASON_SIZE];
	int self;

	if (agent_role_read_conf(AGENT_ROLE_FD_CONF, &t->conf) < 0 || load(t, conf_file, node) < 0)
		return -1;
	self = conf_self(&t->conf, node, why);
	if (self < 0)
		return -1;
	conf_change(&t->conf, &t->next, (unsigned)self, &t->change);
	for (unsigned i = 0; i < t->change.refusal_count; i++)
		leave_reason(t->change.refusal[i]);
	return t->change.refusal_count == 0 ? leave_conf(&t->next) : -1;
}

int agent_keeper_reload_trial(const char *conf_file, const char *node)
{
	struct trial *t = calloc(1, sizeof(*t));
	int rc = t == NULL ? -1 : try(t, conf_file, node);

	free(t);
	return rc == 0 ? 0 : 1;
}
