#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/trim.h"
#include "agent/keeper.h"
#include "agent/keys.h"
#include "agent/privilege.h"
#include "agent/role.h"

enum { LISTEN_BACKLOG = 16, SAVER_FIRST_ANSWER_MS = 5000, FIRST_LOOK_MS = 50 };

static int say(const char *what, const char *why)
{
	yoke_log(YOKE_LOG_ERROR, "%s: %s", what, why);
	return -1;
}

static int say_errno(const char *what)
{
	return say(what, strerror(errno));
}

static int load_conf(struct agent_keeper *k, const char *conf_file)
{
	static struct conf_problems problems;
	int rc = conf_load(conf_file, &k->conf, &problems);

	for (unsigned i = 0; i < problems.count; i++)
		fprintf(stderr, "%s:%d: %s: %s\n", conf_file, problems.problem[i].line,
			problems.problem[i].warning ? "warning" : "error",
			problems.problem[i].text);
	return rc == 0 ? 0 : say(conf_file, "not started: correct these errors, see 'yoke check'");
}

/* The bytes in memory of our own, so that later edits of the file do not reach an engine. */
static int copy_to_memory(const char *name, const void *bytes, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -1;
	return fd;
}

/* Printed and read again, a checked configuration is itself; so the engine reads exactly this. */
static int share_conf(struct agent_keeper *k)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return say_errno("open_memstream");
	conf_print(&k->conf, out);
	fclose(out);
	k->conf_fd = copy_to_memory("yoke.conf", text, size);
	free(text);
	return k->conf_fd < 0 ? say_errno("memfd_create") : 0;
}

/* For 'yoke reload', which says what another file would change.  Nothing else needs it: what cannot
 * be written is told, and an older one must not be taken for it. */
static void tell_conf(struct agent_keeper *k)
{
	char name[CONF_FILE_SIZE + 16], made[CONF_FILE_SIZE + 20];
	bool told = false;
	FILE *out;
	int fd;

	snprintf(name, sizeof(name), "%s/running.conf", k->conf.run_dir);
	snprintf(made, sizeof(made), "%s.new", name);
	unlink(made);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out != NULL) {
		fprintf(out, "# %s\n", k->conf_file);
		conf_print(&k->conf, out);
		told = !ferror(out);
		told = fclose(out) == 0 && told && rename(made, name) == 0;
	} else if (fd >= 0) {
		close(fd);
	}
	if (told)
		return;
	say_errno(made);
	unlink(made);
	unlink(name);
}

static int share_key(struct agent_keeper *k)
{
	char why[CONF_PROBLEM_SIZE];

	k->key_fd = agent_keys_share(k->conf.key_file, why);
	return k->key_fd < 0 ? say("key", why) : 0;
}

static int make_dir(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdir(name, mode) < 0 && errno != EEXIST)
		return say_errno(name);
	if (chown(name, uid, gid) < 0 || chmod(name, mode) < 0)
		return say_errno(name);
	return 0;
}

static int make_dirs(struct agent_keeper *k)
{
	char snmp[CONF_FILE_SIZE + 8];

	snprintf(snmp, sizeof(snmp), "%s/snmp", k->conf.state_dir);
	if (make_dir(k->conf.run_dir, 0755, 0, 0) < 0 ||
	    make_dir(k->conf.state_dir, 0755, 0, 0) < 0)
		return -1;
	return k->conf.snmp ? make_dir(snmp, 0700, k->snmp_uid, k->snmp_gid) : 0;
}

static int take_lock(struct agent_keeper *k)
{
	char name[CONF_FILE_SIZE + 16];

	snprintf(name, sizeof(name), "%s/yoked.lock", k->conf.run_dir);
	k->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (k->lock_fd < 0)
		return say_errno(name);
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return say(name, "another yoked runs with this run_dir");
	return 0;
}

static int open_control(struct agent_keeper *k)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/yoke.sock", k->conf.run_dir) >=
	    (int)sizeof(sun.sun_path))
		return say(k->conf.run_dir, "too long for a socket's path");
	k->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->control_fd < 0)
		return say_errno("socket");
	unlink(sun.sun_path);
	if (bind(k->control_fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    chown(sun.sun_path, 0, k->gid) < 0 || chmod(sun.sun_path, 0660) < 0 ||
	    listen(k->control_fd, LISTEN_BACKLOG) < 0)
		return say_errno(sun.sun_path);
	return 0;
}

static int open_shared(struct agent_keeper *k)
{
	char name[CONF_FILE_SIZE + 16];

	snprintf(name, sizeof(name), "%s/recorder", k->conf.run_dir);
	k->shared_fd = agent_shared_open(name, true, &k->shared);
	if (k->shared_fd < 0)
		return say_errno(name);
	if (fchown(k->shared_fd, 0, k->gid) < 0)
		return say_errno(name);
	/* The next engine is not the first one when an elder runs; else it is nobody's heir. */
	atomic_store(&k->shared->engines, k->elder == 0 ? 0 : 1);
	if (k->elder == 0)
		k->shared->legacy = (struct core_legacy){0};
	/* Of another version's file nothing is left of it. */
	if (k->reloads_left >= 0)
		atomic_store(&k->shared->reloads, (uint32_t)k->reloads_left);
	atomic_store(&k->shared->reloaded, k->reloads_left >= 0);
	return 0;
}

static int open_signals(struct agent_keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return say_errno("sigprocmask");
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signal_fd < 0 ? say_errno("signalfd") : 0;
}

/* What the saver tells first: the events of an earlier boot, then the record.  A disk that does not
 * answer makes the node start as standby, not hang. */
static void first_record(struct agent_keeper *k)
{
	int64_t until_ms = agent_keeper_now_ms() + SAVER_FIRST_ANSWER_MS, left_ms;
	bool wants_events = k->shared->last_event == 0;
	struct agent_channel_message m;

	agent_keeper_start_saver(k);
	while ((left_ms = until_ms - agent_keeper_now_ms()) > 0) {
		int got = agent_channel_wait(
			k->saver_fd, &m, left_ms < FIRST_LOOK_MS ? (int)left_ms : FIRST_LOOK_MS);

		agent_watchdog_tick(&k->watchdog, agent_keeper_now_ms());
		if (got < 0)
			break;
		if (got == 0)
			continue;
		if (m.kind == AGENT_CHANNEL_EVENT && wants_events)
			agent_shared_remember(k->shared, &m.u.event);
		if (m.kind == AGENT_CHANNEL_RECORD) {
			agent_saves_found(&k->saves, &m);
			return;
		}
	}
	agent_saves_not_found(&k->saves, "the disk does not answer");
}

/* Our own file, by its name: after an upgrade another one is there.  What is not configured is
 * beside it. */
static void find_programs(struct agent_keeper *k)
{
	ssize_t len = readlink("/proc/self/exe", k->file, sizeof(k->file) - 1);
	char *slash;

	if (len <= 0)
		return;
	k->file[len] = '\0';
	slash = strrchr(k->file, '/');
	if (k->conf.snmp_program[0] == '\0' && slash != NULL)
		snprintf(k->conf.snmp_program, sizeof(k->conf.snmp_program), "%.*s/yoke-snmp",
			 (int)(slash - k->file), k->file);
}

static int find_users(struct agent_keeper *k)
{
	char why[YOKE_REASON_SIZE];

	if (agent_privilege_user(k->conf.user, &k->uid, &k->gid, why) < 0)
		return say("user", why);
	if (k->conf.snmp &&
	    agent_privilege_user(k->conf.snmp_user, &k->snmp_uid, &k->snmp_gid, why) < 0)
		return say("snmp user", why);
	return 0;
}

/* Of what the program before us left nothing is made again: not even a client notices. */
static int open_all(struct agent_keeper *k, bool renewed)
{
	if (!renewed && (share_key(k) < 0 || share_conf(k) < 0))
		return -1;
	if (make_dirs(k) < 0 || (!renewed && take_lock(k) < 0) || open_shared(k) < 0 ||
	    (!renewed && open_control(k) < 0))
		return -1;
	tell_conf(k);
	return open_signals(k);
}

int agent_keeper_prepare(struct agent_keeper *k, const char *program, const char *conf_file,
			 const char *node, const char *renewed)
{
	char why[YOKE_REASON_SIZE];
	int self;

	k->program = program;
	k->conf_file = conf_file;
	k->engine_fd = k->saver_fd = k->elder_fd = k->new_key_fd = k->next_fd = -1;
	k->reloads_left = -1;
	k->courier.fd = -1;
	prctl(PR_SET_DUMPABLE, 0); /* keys pass through here */
	k->engine.name = "engine";
	k->saver.name = "saver";
	k->snmp.name = "yoke-snmp";
	k->courier.child.name = "courier";
	if (geteuid() != 0)
		return say("yoked", "must be started as root");
	if ((renewed == NULL ? load_conf(k, conf_file) : agent_keeper_renew_take(k, renewed)) < 0)
		return -1;
	self = conf_self(&k->conf, node, why);
	if (self < 0)
		return say(conf_file, why);
	k->self = self;
	snprintf(k->node, sizeof(k->node), "%s", k->conf.node[self].name);
	yoke_log_open("yoked", k->conf.log_syslog ? YOKE_LOG_SYSLOG : YOKE_LOG_STDERR,
		      k->conf.log_debug ? YOKE_LOG_DEBUG : YOKE_LOG_INFO);
	umask(0022);
	if (find_users(k) < 0 || open_all(k, renewed != NULL) < 0)
		return -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* what jobs leave behind is ours to reap */
	agent_job_init(&k->jobs, &k->conf, k->node);
	agent_job_cgroup_open(&k->jobs.cgroups);
	agent_job_find_left(&k->jobs);
	for (unsigned i = 0; i < YOKE_ARBITERS_MAX; i++) {
		bool is_disk = i < k->conf.arbiter_count &&
			       k->conf.arbiter[i].type == YOKE_ARBITER_TYPE_DISK;

		k->disk[i].fd = -1;
		k->disk[i].child.name = "disk";
		k->disk[i].child.start_at_ms = is_disk ? 0 : INT64_MAX;
	}
	agent_keeper_line_init(k);
	agent_keeper_programs_init(k);
	find_programs(k);
	k->snmp.start_at_ms = k->conf.snmp ? 0 : INT64_MAX;
	/* From now on it wants to be fed, also while the disk is waited for. */
	agent_watchdog_open(&k->watchdog, k->conf.watchdog, k->conf.watchdog_ms, k->shared,
			    agent_keeper_now_ms());
	first_record(k);
	yoke_trim();
	return 0;
}
