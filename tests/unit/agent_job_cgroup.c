/* agent/job_cgroup.h: what a late job has started is killed with it wherever it hides, and what a
 * job that ended in time has left is not.  Processes and cgroups are real, time is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/job.h"

enum { TIMEOUT_MS = 1000, PATIENCE_MS = 5000, NAME_SIZE = 64 };

static struct conf conf;
static struct agent_job_set set;
static pid_t strays[4]; /* processes besides the job's first one, for tear_down(); 0: gone */
static unsigned stray_count;

static void name_of(pid_t keeper, unsigned number, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "yoke-%d-%u", (int)keeper, number);
}

static bool is_there(pid_t keeper, unsigned number)
{
	char name[NAME_SIZE];

	name_of(keeper, number, name);
	return faccessat(set.cgroups.dir_fd, name, F_OK, 0) == 0;
}

static void drop(pid_t keeper, unsigned number)
{
	char name[NAME_SIZE];

	name_of(keeper, number, name);
	unlinkat(set.cgroups.dir_fd, name, AT_REMOVEDIR);
}

/* One of a run that failed may be there. */
static void make(pid_t keeper, unsigned number)
{
	char name[NAME_SIZE];

	drop(keeper, number);
	name_of(keeper, number, name);
	assert_int_equal(mkdirat(set.cgroups.dir_fd, name, 0755), 0);
}

/* How many there are of this process. */
static unsigned count_ours(void)
{
	int fd = openat(set.cgroups.dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	char start[NAME_SIZE];
	unsigned count = 0;

	assert_non_null(dir);
	snprintf(start, sizeof(start), "yoke-%d-", (int)getpid());
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, start, strlen(start)) == 0;
	closedir(dir);
	return count;
}

static int set_up(void **state)
{
	(void)state;
	memset(&conf, 0, sizeof(conf));
	memset(&set, 0, sizeof(set));
	stray_count = 0;
	conf.resource_count = 1;
	conf.resource[0].type = YOKE_RESOURCE_TYPE_SCRIPT;
	agent_job_init(&set, &conf, "alpha");
	agent_job_engine(&set);
	agent_job_cgroup_open(&set.cgroups);
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < stray_count; i++)
		if (strays[i] > 0)
			kill(strays[i], SIGKILL);
	if (set.job[0].state != AGENT_JOB_NONE)
		kill(set.job[0].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (set.job[0].output_fd >= 0)
		close(set.job[0].output_fd);
	if (set.job[0].left_fd >= 0)
		close(set.job[0].left_fd);
	for (unsigned i = 1; i <= set.cgroups.last && set.cgroups.dir_fd >= 0; i++)
		drop(getpid(), i);
	agent_job_cgroup_close(&set.cgroups);
	return prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* That needs root, and cgroup v2 in the kernel. */
static void need_cgroups(void)
{
	if (set.cgroups.dir_fd < 0)
		skip();
}

/* Start a job that runs a shell script, and read the first line of its output: a number. */
static pid_t start(const char *script, int64_t now_ms)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_JOB};
	char *command = conf.resource[0].start, line[YOKE_REASON_SIZE];
	struct pollfd fd = {.events = POLLIN};

	memset(command, 0, CONF_COMMAND_SIZE);
	memcpy(command, "/bin/sh\0-c", 11);
	snprintf(command + 11, CONF_COMMAND_SIZE - 12, "%s", script);
	m.u.job.id = 1;
	m.u.job.resource = 1;
	m.u.job.kind = CORE_RUN_START;
	m.u.job.timeout_ms = TIMEOUT_MS;
	agent_job_ask(&set, &m, now_ms);
	set.job[0].done = false;
	agent_job_tick(&set, now_ms);
	assert_int_equal(set.job[0].state, AGENT_JOB_RUNNING);
	fd.fd = set.job[0].output_fd;
	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
	agent_job_read(&set, &fd, 1, now_ms);
	agent_job_last_line(&set.job[0].output, line);
	strays[stray_count++] = (pid_t)strtol(line, NULL, 10);
	return strays[stray_count - 1];
}

/* The job's first process ends. */
static void await(void)
{
	pid_t pid = set.job[0].pid;
	siginfo_t info;
	int status;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	agent_job_ending(&set, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(agent_job_ended(&set, pid, status));
}

/* It is our child by now: its parent is gone. */
static void expect_killed(pid_t pid)
{
	int status;

	for (int i = 0; i < PATIENCE_MS; i += 10) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			for (unsigned j = 0; j < stray_count; j++)
				if (strays[j] == pid)
					strays[j] = 0;
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), SIGKILL);
			return;
		}
		usleep(10000);
	}
	fail_msg("process %d lives", (int)pid);
}

static void expect_alive(pid_t pid)
{
	char name[NAME_SIZE], state = '?';
	FILE *in;

	usleep(50000); /* a kill would have come through by then */
	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	in = fopen(name, "re");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%*d (%*[^)]) %c", &state), 1);
	fclose(in);
	assert_int_not_equal(state, 'Z');
}

/* Its process group is another, so that what the group gets does not reach it. */
static void test_one_that_left_the_group_is_killed(void **state)
{
	pid_t hidden;

	(void)state;
	need_cgroups();
	hidden = start("setsid sh -c 'echo $$; exec sleep 1000' & wait", 0);
	assert_int_equal(getpgid(hidden), hidden);
	assert_int_not_equal(hidden, set.job[0].pid);
	agent_job_tick(&set, TIMEOUT_MS);
	expect_alive(hidden);
	await(); /* of SIGTERM */
	expect_killed(hidden);
}

/* The first process does not heed SIGTERM. */
static void test_one_that_left_a_deaf_job_is_killed(void **state)
{
	pid_t hidden;

	(void)state;
	need_cgroups();
	hidden = start("trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & wait; sleep 1000",
		       0);
	agent_job_tick(&set, TIMEOUT_MS);
	expect_alive(hidden);
	agent_job_tick(&set, TIMEOUT_MS + AGENT_JOB_TERM_MS);
	await();
	expect_killed(hidden);
}

static void test_daemon_of_a_success_lives(void **state)
{
	unsigned first;
	pid_t service, hidden;

	(void)state;
	need_cgroups();
	service = start("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1", 0);
	first = set.job[0].cgroup;
	await();
	assert_int_equal(set.job[0].done_result, CORE_RESULT_DONE);
	agent_job_tick(&set, TIMEOUT_MS);
	agent_job_tick(&set, TIMEOUT_MS + AGENT_JOB_TERM_MS);
	/* Nor is it killed with a later one that is late. */
	hidden = start("setsid sh -c 'echo $$; exec sleep 1000' & wait", 10000);
	agent_job_tick(&set, 10000 + TIMEOUT_MS);
	await();
	expect_killed(hidden);
	expect_alive(service);
	assert_true(is_there(getpid(), first));
	/* Its cgroup goes when it is gone, with the next job. */
	kill(service, SIGKILL);
	expect_killed(service);
	start("echo 0", 20000);
	assert_false(is_there(getpid(), first));
	await();
	assert_int_equal(count_ours(), 0);
}

/* A job that failed in time is not late: what it left is not killed either. */
static void test_daemon_of_a_failure_lives(void **state)
{
	pid_t service;

	(void)state;
	need_cgroups();
	service = start("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1; exit 1", 0);
	await();
	assert_int_equal(set.job[0].done_result, CORE_RESULT_FAILED);
	expect_alive(service);
}

/* A process of its own in a cgroup that is not its job's. */
static pid_t put_somebody_into(pid_t keeper, unsigned number)
{
	char path[2 * NAME_SIZE];
	pid_t pid = fork();
	int fd;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	strays[stray_count++] = pid;
	snprintf(path, sizeof(path), "yoke-%d-%u/cgroup.procs", (int)keeper, number);
	fd = openat(set.cgroups.dir_fd, path, O_WRONLY | O_CLOEXEC);
	assert_true(dprintf(fd, "%d", (int)pid) > 0);
	close(fd);
	return pid;
}

static void test_one_that_is_there_is_not_taken_over(void **state)
{
	pid_t stranger;

	(void)state;
	need_cgroups();
	make(getpid(), 1);
	stranger = put_somebody_into(getpid(), 1);
	start("echo $$; sleep 1000", 0);
	assert_int_equal(set.job[0].cgroup, 2);
	agent_job_tick(&set, TIMEOUT_MS);
	await();
	expect_alive(stranger);
}

/* Of keepers that are gone, the empty ones, and nothing else. */
static void test_a_new_keeper_removes_what_is_stale(void **state)
{
	pid_t gone, lives;

	(void)state;
	need_cgroups();
	gone = fork();
	if (gone == 0)
		_exit(0);
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	make(gone, 1);
	make(gone, 2);
	make(getppid(), 1);
	make(getpid(), 7);
	unlinkat(set.cgroups.dir_fd, "yoke-unit-test", AT_REMOVEDIR);
	assert_int_equal(mkdirat(set.cgroups.dir_fd, "yoke-unit-test", 0755), 0);
	lives = put_somebody_into(gone, 2);
	agent_job_cgroup_close(&set.cgroups);
	agent_job_cgroup_open(&set.cgroups);
	expect_alive(lives);
	assert_false(is_there(gone, 1));
	assert_true(is_there(gone, 2));
	assert_true(is_there(getppid(), 1));
	assert_false(is_there(getpid(), 7));
	assert_int_equal(unlinkat(set.cgroups.dir_fd, "yoke-unit-test", AT_REMOVEDIR), 0);
	drop(getppid(), 1);
	kill(lives, SIGKILL);
	expect_killed(lives);
	drop(gone, 2);
}

static void test_a_keeper_that_ends_removes_what_is_empty(void **state)
{
	pid_t service;
	int dir_fd;

	(void)state;
	need_cgroups();
	service = start("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1", 0);
	await();
	kill(service, SIGKILL);
	expect_killed(service);
	assert_int_equal(count_ours(), 1);
	dir_fd = dup(set.cgroups.dir_fd);
	agent_job_cgroup_close(&set.cgroups);
	set.cgroups.dir_fd = dir_fd;
	assert_int_equal(count_ours(), 0);
}

/* Nothing that can be written: as if there were no cgroups at all. */
static void test_without_cgroups(void **state)
{
	(void)state;
	agent_job_cgroup_close(&set.cgroups);
	start("echo $$; sleep 1000", 0);
	assert_int_equal(set.job[0].cgroup, 0);
	agent_job_tick(&set, TIMEOUT_MS);
	await();
	assert_int_equal(set.cgroups.left_count, 0);
}

static char mounted[NAME_SIZE];

/* Where no cgroup v2 is mounted, or read-only, root may be able to mount one for this process. */
static int find_or_mount(void **state)
{
	(void)state;
	agent_job_cgroup_open(&set.cgroups);
	snprintf(mounted, sizeof(mounted), "/tmp/yoke-cgroup-XXXXXX");
	if (set.cgroups.dir_fd < 0 && geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mkdtemp(mounted) != NULL)
		(void)mount("none", mounted, "cgroup2", 0, NULL);
	else
		mounted[0] = '\0';
	agent_job_cgroup_close(&set.cgroups);
	return 0;
}

static int unmount(void **state)
{
	(void)state;
	if (mounted[0] == '\0')
		return 0;
	umount(mounted);
	return rmdir(mounted);
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(test_one_that_left_the_group_is_killed),
		JOB_TEST(test_one_that_left_a_deaf_job_is_killed),
		JOB_TEST(test_daemon_of_a_success_lives),
		JOB_TEST(test_daemon_of_a_failure_lives),
		JOB_TEST(test_one_that_is_there_is_not_taken_over),
		JOB_TEST(test_a_new_keeper_removes_what_is_stale),
		JOB_TEST(test_a_keeper_that_ends_removes_what_is_empty),
		JOB_TEST(test_without_cgroups),
	};

	return cmocka_run_group_tests(tests, find_or_mount, unmount);
}
