#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"

enum {
	ENVIRONMENT_MAX = 8,
	VARIABLE_SIZE = 16 + YOKE_NAME_SIZE,
	FIFO_NAME_SIZE = CONF_FILE_SIZE + YOKE_NAME_SIZE + 8,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static char language[] = "LANG=C";

const char *agent_job_command(const struct conf_resource *r, enum core_run_kind kind)
{
	switch (kind) {
	case CORE_RUN_START:
		return r->start;
	case CORE_RUN_STOP:
		return r->stop;
	case CORE_RUN_MONITOR:
		return r->monitor[0] != '\0' ? r->monitor : r->status;
	case CORE_RUN_PROBE:
	case CORE_RUN_PREPARE:
		break;
	}
	return r->status;
}

static const char *word_of(enum core_run_kind kind)
{
	return kind == CORE_RUN_START     ? "start"
	       : kind == CORE_RUN_STOP    ? "stop"
	       : kind == CORE_RUN_MONITOR ? "monitor"
					  : "status";
}

static void fail_child(const char *what, int status) __attribute__((noreturn));
static void fail_child(const char *what, int status)
{
	dprintf(STDERR_FILENO, AGENT_JOB_NOT_EXECUTED "%s: %s\n", what, strerror(errno));
	_exit(status);
}

/* Nothing of the keeper's is left: no signal mask, no descriptor, no privilege of being spared. */
static void shed(int output_fd)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	int fd;

	setsid();
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT_EXECUTE);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(0022);
	if (chdir("/") < 0)
		fail_child("/", EXIT_CANNOT_EXECUTE);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		dprintf(fd, "0");
		close(fd);
	}
}

static void run(const struct agent_job_set *set, const struct conf_resource *r,
		enum core_run_kind kind) __attribute__((noreturn));
static void run(const struct agent_job_set *set, const struct conf_resource *r,
		enum core_run_kind kind)
{
	const char *command = agent_job_command(r, kind), *word = NULL;
	char variable[4][VARIABLE_SIZE], text[CONF_COMMAND_SIZE];
	char *arguments[CONF_WORDS_MAX + 1] = {NULL};
	char *environment[ENVIRONMENT_MAX] = {path, language};
	unsigned count = 0;

	snprintf(variable[0], VARIABLE_SIZE, "YOKE_GROUP=%s", set->conf->group[r->group].name);
	snprintf(variable[1], VARIABLE_SIZE, "YOKE_RESOURCE=%s", r->name);
	snprintf(variable[2], VARIABLE_SIZE, "YOKE_NODE=%s", set->node);
	snprintf(variable[3], VARIABLE_SIZE, "YOKE_ACTION=%s", word_of(kind));
	for (unsigned i = 0; i < 4; i++)
		environment[2 + i] = variable[i];
	memcpy(text, command, sizeof(text));
	while (count < CONF_WORDS_MAX && (word = conf_command_next(text, word)) != NULL)
		arguments[count++] = text + (word - text);
	execve(arguments[0], arguments, environment);
	fail_child(arguments[0], errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

/* A fence agent knows of its node from its parameters only. */
static void run_fence(const struct agent_job_set *set, unsigned arbiter,
		      const struct agent_job_request *request) __attribute__((noreturn));
static void run_fence(const struct agent_job_set *set, unsigned arbiter,
		      const struct agent_job_request *request)
{
	char *environment[] = {path, language, NULL};

	agent_job_fence(&set->conf->arbiter[arbiter], request, &set->secret[arbiter], environment);
}

/* ---- where output goes ---- */

/* The FIFO of what a resource's start leaves behind, opened so; -1: there is none. */
static int open_fifo(const struct agent_job_set *set, unsigned slot, int flags, bool make)
{
	char name[FIFO_NAME_SIZE];
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "%s/%s.output", set->conf->run_dir,
		 set->conf->resource[slot].name);
	if (make && mkfifo(name, 0600) < 0 && errno != EEXIST)
		return -1;
	fd = open(name, flags | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What a start leaves behind reads the FIFO itself, too: so writing to it is no error when the
 * keeper is gone, and the next keeper finds it by its name. */
static bool open_left(const struct agent_job_set *set, unsigned slot, int ends[2])
{
	ends[1] = open_fifo(set, slot, O_RDWR, true);
	if (ends[1] < 0)
		return false;
	ends[0] = open_fifo(set, slot, O_RDONLY, false);
	if (ends[0] >= 0 && fcntl(ends[1], F_SETFL, 0) == 0) { /* it may wait */
		/* Where the system allows less, it waits earlier. */
		fcntl(ends[1], F_SETPIPE_SZ, AGENT_JOB_LEFT_MAX);
		return true;
	}
	close(ends[1]);
	if (ends[0] >= 0)
		close(ends[0]);
	return false;
}

static bool open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
		return true;
	close(ends[0]);
	close(ends[1]);
	return false;
}

void agent_job_find_left(struct agent_job_set *set)
{
	for (unsigned i = 0; i < set->conf->resource_count; i++)
		if (set->conf->resource[i].type == YOKE_RESOURCE_TYPE_SCRIPT &&
		    set->job[i].left_fd < 0)
			set->job[i].left_fd = open_fifo(set, i, O_RDONLY, false);
}

/* ---- processes ---- */

pid_t agent_job_spawn(const struct agent_job_set *set, const struct agent_job *job, int *output_fd)
{
	unsigned slot = (unsigned)(job - set->job), resources = set->conf->resource_count;
	bool leaves = slot < resources && job->waiting.kind == CORE_RUN_START;
	int ends[2], failed;
	pid_t pid;

	if (!(leaves && open_left(set, slot, ends)) && !open_pipe(ends))
		return -1;
	pid = fork();
	if (pid == 0) {
		agent_job_cgroup_enter(&set->cgroups, job->cgroup);
		shed(ends[1]);
		if (slot >= resources)
			run_fence(set, slot - resources, &job->waiting);
		run(set, &set->conf->resource[slot], job->waiting.kind);
	}
	failed = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = failed;
		return -1;
	}
	*output_fd = ends[0];
	return pid;
}
