#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keeper.h"
#include "agent/privilege.h"
#include "agent/role.h"

int64_t agent_keeper_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* In a new child: fds[i] becomes descriptor AGENT_ROLE_FD_CHANNEL + i.  They are moved out of each
 * other's way first. */
static int hand_down(const int *fds, int count)
{
	int high[AGENT_ROLE_FD_END];

	for (int i = 0; i < count; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < count; i++)
		if (dup2(high[i], AGENT_ROLE_FD_CHANNEL + i) < 0)
			return -1;
	return 0;
}

/* Only the keeper is told to stop, also by a terminal or a supervisor that signals all of a group:
 * it has the others leave in order. */
static void deaf_to_stops(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Fork with a channel; returns in the child with *channel_fd set, and in the parent (pid set or 0
 * after a failure). */
static bool begin_child(struct agent_keeper_child *child, int *keeper_fd, int *channel_fd)
{
	int pair[2];

	if (*keeper_fd >= 0)
		close(*keeper_fd);
	*keeper_fd = -1;
	child->started_ms = agent_keeper_now_ms();
	child->start_at_ms = INT64_MAX;
	child->pid = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		yoke_log(YOKE_LOG_ERROR, "socketpair: %s", strerror(errno));
		child->start_at_ms = child->started_ms + 1000;
		return false;
	}
	child->pid = fork();
	if (child->pid == 0) {
		*channel_fd = pair[1];
		return true;
	}
	close(pair[1]);
	if (child->pid < 0) {
		yoke_log(YOKE_LOG_ERROR, "fork: %s", strerror(errno));
		child->pid = 0;
		child->start_at_ms = child->started_ms + 1000;
		close(pair[0]);
		return false;
	}
	*keeper_fd = pair[0];
	return false;
}

static void fail_child(const char *what) __attribute__((noreturn));
static void fail_child(const char *what)
{
	yoke_log(YOKE_LOG_ERROR, "%s: %s", what, strerror(errno));
	_exit(127);
}

void agent_keeper_start_engine(struct agent_keeper *k)
{
	static const struct agent_channel_message leave = {.kind = AGENT_CHANNEL_LEAVE};
	static struct agent_channel_message missing = {.kind = AGENT_CHANNEL_MISSING};
	pid_t keeper = getpid();
	int channel_fd;
	char parent[16], snmp_uid[24];

	if (atomic_load(&k->shared->alive_us) != 0)
		atomic_store(&k->shared->before_us, atomic_load(&k->shared->alive_us));
	atomic_store(&k->shared->alive_us, 0);
	atomic_fetch_add(&k->shared->engines, 1);
	if (!begin_child(&k->engine, &k->engine_fd, &channel_fd)) {
		if (k->engine_fd >= 0) {
			memcpy(missing.u.missing.resource, k->missing, sizeof(k->missing));
			agent_channel_send(k->engine_fd, &missing);
			agent_channel_send(k->engine_fd, &k->saves.durable);
			if (k->leaving)
				agent_channel_send(k->engine_fd, &leave);
		}
		return;
	}
	{
		int fds[] = {channel_fd, k->conf_fd, k->key_fd, k->shared_fd, k->control_fd};

		deaf_to_stops();
		if (hand_down(fds, (int)(sizeof(fds) / sizeof(fds[0]))) < 0)
			fail_child("engine: descriptors");
	}
	if (agent_privilege_become(k->uid, k->gid, true) < 0)
		fail_child("engine: user and capabilities");
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	snprintf(parent, sizeof(parent), "%d", (int)keeper);
	snprintf(snmp_uid, sizeof(snmp_uid), "%lld", k->conf.snmp ? (long long)k->snmp_uid : -1ll);
	execl("/proc/self/exe", k->program, "--role", "engine", "--node", k->node, "--keeper",
	      parent, "--snmp-uid", snmp_uid, (char *)NULL);
	fail_child("engine: exec");
}

void agent_keeper_start_saver(struct agent_keeper *k)
{
	pid_t keeper = getpid();
	int channel_fd;
	char parent[16];

	if (!begin_child(&k->saver, &k->saver_fd, &channel_fd))
		return;
	deaf_to_stops();
	if (hand_down(&channel_fd, 1) < 0)
		fail_child("saver: descriptors");
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	snprintf(parent, sizeof(parent), "%d", (int)keeper);
	execl("/proc/self/exe", k->program, "--role", "saver", "--keeper", parent, "--state-dir",
	      k->conf.state_dir, (char *)NULL);
	fail_child("saver: exec");
}

void agent_keeper_start_disk(struct agent_keeper *k, unsigned arbiter)
{
	struct agent_keeper_helper *d = &k->disk[arbiter];
	pid_t keeper = getpid();
	int channel_fd;
	char parent[16], number[16];

	d->asked = 0;
	if (!begin_child(&d->child, &d->fd, &channel_fd))
		return;
	{
		int fds[] = {channel_fd, k->conf_fd, k->key_fd};

		deaf_to_stops();
		if (hand_down(fds, (int)(sizeof(fds) / sizeof(fds[0]))) < 0)
			fail_child("disk: descriptors");
	}
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	snprintf(parent, sizeof(parent), "%d", (int)keeper);
	snprintf(number, sizeof(number), "%u", arbiter + 1);
	execl("/proc/self/exe", k->program, "--role", "disk", "--node", k->node, "--arbiter",
	      number, "--keeper", parent, (char *)NULL);
	fail_child("disk: exec");
}

void agent_keeper_start_line(struct agent_keeper *k, unsigned path)
{
	struct agent_keeper_helper *l = &k->line[path];
	const struct conf_endpoint *e = &k->conf.node[k->self].endpoint[path];
	pid_t keeper = getpid();
	int channel_fd;
	char parent[16], number[16];

	l->asked = 0;
	if (!begin_child(&l->child, &l->fd, &channel_fd))
		return;
	{
		int fds[] = {channel_fd, k->conf_fd};

		deaf_to_stops();
		if (hand_down(fds, (int)(sizeof(fds) / sizeof(fds[0]))) < 0)
			fail_child("path: descriptors");
	}
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	snprintf(parent, sizeof(parent), "%d", (int)keeper);
	snprintf(number, sizeof(number), "%u", e->type == YOKE_PATH_TYPE_DISK ? path + 1 : e->baud);
	if (e->type == YOKE_PATH_TYPE_DISK)
		execl("/proc/self/exe", k->program, "--role", "post", "--node", k->node, "--path",
		      number, "--keeper", parent, (char *)NULL);
	else
		execl("/proc/self/exe", k->program, "--role", "serial", "--device", e->device,
		      "--baud", number, "--keeper", parent, e->rtscts ? "--rtscts" : (char *)NULL,
		      (char *)NULL);
	fail_child("path: exec");
}

void agent_keeper_start_courier(struct agent_keeper *k)
{
	pid_t keeper = getpid();
	int channel_fd;
	char parent[16];

	if (!begin_child(&k->courier.child, &k->courier.fd, &channel_fd))
		return;
	{
		int fds[] = {channel_fd, k->conf_fd};

		deaf_to_stops();
		if (hand_down(fds, (int)(sizeof(fds) / sizeof(fds[0]))) < 0)
			fail_child("courier: descriptors");
	}
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	snprintf(parent, sizeof(parent), "%d", (int)keeper);
	execl("/proc/self/exe", k->program, "--role", "courier", "--node", k->node, "--config",
	      k->conf_file, "--keeper", parent, (char *)NULL);
	fail_child("courier: exec");
}

pid_t agent_keeper_start_trial(const struct agent_keeper *k)
{
	int fds[] = {k->next_fd >= 0 ? k->next_fd : k->conf_fd, k->conf_fd};
	pid_t keeper = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	deaf_to_stops();
	if (hand_down(fds, (int)(sizeof(fds) / sizeof(fds[0]))) < 0)
		fail_child("trial: descriptors");
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	if (k->next_fd >= 0)
		execl(k->file, k->program, "--role", "reload", "--node", k->node, "--config",
		      k->conf_file, (char *)NULL);
	else
		execl(k->file, k->program, "--role", "trial", "--node", k->node, (char *)NULL);
	fail_child(k->file);
}

void agent_keeper_start_snmp(struct agent_keeper *k)
{
	pid_t keeper = getpid();
	char socket_name[CONF_FILE_SIZE + 16], state[CONF_FILE_SIZE + 32];
	sigset_t none;

	k->snmp.started_ms = agent_keeper_now_ms();
	k->snmp.start_at_ms = INT64_MAX;
	k->snmp.pid = fork();
	if (k->snmp.pid > 0)
		return;
	if (k->snmp.pid < 0) {
		k->snmp.pid = 0;
		k->snmp.start_at_ms = k->snmp.started_ms + 1000;
		return;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(socket_name, sizeof(socket_name), "%s/yoke.sock", k->conf.run_dir);
	snprintf(state, sizeof(state), "%s/snmp/sent", k->conf.state_dir);
	if (agent_privilege_become(k->snmp_uid, k->gid, false) < 0)
		fail_child("yoke-snmp: user");
	if (agent_privilege_bind(keeper) < 0)
		_exit(127);
	if (k->conf.log_syslog)
		execl(k->conf.snmp_program, "yoke-snmp", "--socket", socket_name, "--agentx",
		      k->conf.snmp_agentx, "--state", state, (char *)NULL);
	else
		execl(k->conf.snmp_program, "yoke-snmp", "--socket", socket_name, "--agentx",
		      k->conf.snmp_agentx, "--state", state, "--log-stderr", (char *)NULL);
	fail_child(k->conf.snmp_program);
}
