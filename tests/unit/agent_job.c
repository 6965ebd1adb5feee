/* agent/job.c: who may run when.  Processes are real (/bin/sleep, /bin/sh), time is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/job.h"

enum { SCRIPTS = 40, TIMEOUT_MS = 1000 };

static struct conf conf;
static struct agent_job_set set;
static int channel[2];

static void set_command(char command[CONF_COMMAND_SIZE], const char *const *words)
{
	size_t used = 0;

	memset(command, 0, CONF_COMMAND_SIZE);
	for (; *words != NULL; words++)
		used += (size_t)snprintf(command + used, CONF_COMMAND_SIZE - used, "%s", *words) +
			1;
}

static int set_up(void **state)
{
	static const char *const sleeps[] = {"/bin/sleep", "1000", NULL};
	static const char *const stops[] = {"/bin/sh", "-c", "echo gone; exit 4", NULL};

	(void)state;
	memset(&conf, 0, sizeof(conf));
	memset(&set, 0, sizeof(set));
	snprintf(conf.run_dir, sizeof(conf.run_dir), "/tmp/yoke-job-XXXXXX");
	if (mkdtemp(conf.run_dir) == NULL)
		return -1;
	conf.resource_count = SCRIPTS + 1;
	for (int i = 0; i < SCRIPTS; i++) {
		snprintf(conf.resource[i].name, sizeof(conf.resource[i].name), "script%d", i);
		conf.resource[i].type = YOKE_RESOURCE_TYPE_SCRIPT;
		set_command(conf.resource[i].start, sleeps);
		set_command(conf.resource[i].status, sleeps);
		set_command(conf.resource[i].stop, stops);
	}
	conf.resource[SCRIPTS].type = YOKE_RESOURCE_TYPE_ADDRESS;
	agent_job_init(&set, &conf, "alpha");
	agent_job_engine(&set);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel);
}

static void reap_all(bool by_force)
{
	int status;
	pid_t pid;

	for (int i = 0; by_force && i < SCRIPTS; i++)
		if (set.job[i].state != AGENT_JOB_NONE)
			kill(set.job[i].pid, SIGKILL);
	while ((pid = waitpid(-1, &status, 0)) > 0) {
		agent_job_ending(&set, pid);
		assert_true(agent_job_ended(&set, pid, status));
	}
}

static const char *fifo_of(int index)
{
	static char name[CONF_FILE_SIZE + YOKE_NAME_SIZE + 8];

	snprintf(name, sizeof(name), "%s/%s.output", conf.run_dir, conf.resource[index].name);
	return name;
}

static int tear_down(void **state)
{
	(void)state;
	reap_all(true);
	for (int i = 0; i < SCRIPTS; i++) {
		assert_int_equal(set.job[i].output_fd, -1);
		if (set.job[i].left_fd >= 0)
			close(set.job[i].left_fd);
		unlink(fifo_of(i));
	}
	rmdir(conf.run_dir);
	close(channel[0]);
	close(channel[1]);
	return 0;
}

static void ask(uint32_t id, int resource, enum core_run_kind kind, int64_t now_ms)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_JOB};

	m.u.job.id = id;
	m.u.job.resource = (uint16_t)resource;
	m.u.job.kind = kind;
	m.u.job.timeout_ms = TIMEOUT_MS;
	agent_job_ask(&set, &m, now_ms);
}

/* The next result that is told to the engine. */
static void expect_done(uint32_t id, enum core_result result, const char *reason)
{
	struct agent_channel_message m;

	assert_false(agent_job_tell(&set, channel[0]));
	assert_int_equal(agent_channel_receive(channel[1], &m), 1);
	assert_int_equal(m.kind, AGENT_CHANNEL_DONE);
	assert_int_equal(m.u.done.id, id);
	assert_int_equal(m.u.done.result, result);
	assert_string_equal(m.u.done.reason, reason);
}

static void expect_nothing_done(void)
{
	struct agent_channel_message m;

	assert_false(agent_job_tell(&set, channel[0]));
	assert_int_equal(agent_channel_receive(channel[1], &m), 0);
}

/* The process of a job has ended by itself or by what it was sent. */
static void await(int resource)
{
	pid_t pid = set.job[resource - 1].pid;
	siginfo_t info;
	int status;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	agent_job_ending(&set, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(agent_job_ended(&set, pid, status));
}

static unsigned running(void)
{
	unsigned count = 0;

	for (int i = 0; i < SCRIPTS; i++)
		count += set.job[i].state == AGENT_JOB_RUNNING;
	return count;
}

/* How many run at once is the core's affair: here none waits for another resource's, of any kind.
 */
static void test_none_waits_for_another_resource(void **state)
{
	static const char *const sleeps[] = {"/bin/sleep", "1000", NULL};

	(void)state;
	for (int r = 1; r <= SCRIPTS; r++)
		set_command(conf.resource[r - 1].stop, sleeps);
	for (int r = 1; r <= 10; r++)
		ask((uint32_t)r, r, r % 2 != 0 ? CORE_RUN_MONITOR : CORE_RUN_PROBE, 0);
	agent_job_tick(&set, 0);
	for (int r = 11; r <= 20; r++)
		ask((uint32_t)r, r, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	for (int r = 21; r <= SCRIPTS; r++)
		ask((uint32_t)r, r, CORE_RUN_STOP, 0);
	agent_job_tick(&set, 0);
	assert_int_equal(running(), 20 + AGENT_JOB_BURST_MAX);
	assert_int_equal(agent_job_deadline_ms(&set, 0),
			 0); /* the others at once, but not in one go */
	agent_job_tick(&set, 0);
	assert_int_equal(running(), SCRIPTS);
	assert_int_equal(agent_job_deadline_ms(&set, 0), TIMEOUT_MS);
}

static void test_result(void **state)
{
	(void)state;
	ask(5, 1, CORE_RUN_STOP, 0);
	agent_job_tick(&set, 0);
	await(1);
	expect_done(5, CORE_RESULT_FAILED, "gone");
	expect_nothing_done();
}

static void test_timeout(void **state)
{
	(void)state;
	ask(7, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	assert_int_equal(agent_job_deadline_ms(&set, 0), TIMEOUT_MS);
	agent_job_tick(&set, TIMEOUT_MS - 1);
	expect_nothing_done();
	agent_job_tick(&set, TIMEOUT_MS);
	expect_done(7, CORE_RESULT_FAILED, "timed out after 1000 ms");
	assert_int_equal(set.job[0].state, AGENT_JOB_TERMINATED);
	/* The stop that follows waits until it is gone. */
	ask(8, 1, CORE_RUN_STOP, TIMEOUT_MS);
	agent_job_tick(&set, TIMEOUT_MS);
	assert_true(set.job[0].waiting.is_set);
	await(1);
	agent_job_tick(&set, TIMEOUT_MS);
	assert_false(set.job[0].waiting.is_set);
	await(1);
	expect_done(8, CORE_RESULT_FAILED, "gone");
	expect_nothing_done();
}

static void test_term_then_kill(void **state)
{
	static const char *const deaf[] = {"/bin/sh", "-c", "trap '' TERM; echo; cat /dev/zero",
					   NULL};
	char byte;

	(void)state;
	set_command(conf.resource[0].start, deaf);
	ask(9, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	fcntl(set.job[0].output_fd, F_SETFL, 0);
	assert_int_equal(read(set.job[0].output_fd, &byte, 1), 1); /* it is deaf by now */
	fcntl(set.job[0].output_fd, F_SETFL, O_NONBLOCK);
	agent_job_tick(&set, TIMEOUT_MS);
	assert_int_equal(agent_job_deadline_ms(&set, TIMEOUT_MS), TIMEOUT_MS + AGENT_JOB_TERM_MS);
	agent_job_tick(&set, TIMEOUT_MS + AGENT_JOB_TERM_MS);
	assert_int_equal(set.job[0].state, AGENT_JOB_KILLED);
	await(1);
	expect_done(9, CORE_RESULT_FAILED, "timed out after 1000 ms");
}

/* One of the group does not heed SIGTERM, while the first process does. */
static void test_all_of_a_late_job_is_killed(void **state)
{
	static const char *const starts[] = {
		"/bin/sh", "-c", "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait", NULL};
	struct pollfd fds[AGENT_JOB_FDS_MAX];
	char line[YOKE_REASON_SIZE];
	int status;
	pid_t deaf;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_command(conf.resource[0].start, starts);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	assert_int_equal(agent_job_fds(&set, 10, fds), 1);
	assert_int_equal(poll(fds, 1, -1), 1);
	agent_job_read(&set, fds, 1, 10);
	agent_job_last_line(&set.job[0].output, line);
	deaf = (pid_t)strtol(line, NULL, 10);
	agent_job_tick(&set, TIMEOUT_MS);
	await(1);
	assert_int_equal(waitpid(deaf, &status, 0), deaf);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* As if the kernel did not let it go: it is not reaped. */
static void test_hung(void **state)
{
	int64_t late_ms = TIMEOUT_MS + AGENT_JOB_TERM_MS + AGENT_JOB_HUNG_MS;

	(void)state;
	ask(1, 1, CORE_RUN_MONITOR, 0);
	agent_job_tick(&set, 0);
	agent_job_tick(&set, TIMEOUT_MS);
	expect_done(1, CORE_RESULT_LATE, "timed out after 1000 ms");
	agent_job_tick(&set, TIMEOUT_MS + AGENT_JOB_TERM_MS);
	ask(2, 1, CORE_RUN_STOP, late_ms);
	agent_job_tick(&set, late_ms);
	assert_int_equal(set.job[0].state, AGENT_JOB_HUNG);
	expect_done(2, CORE_RESULT_FAILED,
		    "hung in the kernel: the process before it cannot be killed");
	ask(3, 1, CORE_RUN_START, late_ms);
	expect_done(3, CORE_RESULT_FAILED,
		    "hung in the kernel: the process before it cannot be killed");
	assert_int_equal(agent_job_deadline_ms(&set, late_ms), INT64_MAX);
	await(1);
	expect_nothing_done();
	ask(4, 1, CORE_RUN_STOP, late_ms);
	agent_job_tick(&set, late_ms);
	await(1);
	expect_done(4, CORE_RESULT_FAILED, "gone");
}

static void test_stop_ends_a_monitor(void **state)
{
	(void)state;
	ask(1, 1, CORE_RUN_MONITOR, 0);
	agent_job_tick(&set, 0);
	ask(2, 1, CORE_RUN_STOP, 1);
	assert_int_equal(set.job[0].state, AGENT_JOB_KILLED);
	await(1);
	expect_nothing_done();
	agent_job_tick(&set, 2);
	await(1);
	expect_done(2, CORE_RESULT_FAILED, "gone");
}

static void test_newest_waits(void **state)
{
	(void)state;
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	ask(2, 1, CORE_RUN_PROBE, 1);
	ask(3, 1, CORE_RUN_STOP, 2);
	agent_job_tick(&set, 2);
	assert_int_equal(set.job[0].state, AGENT_JOB_RUNNING); /* a start is not killed for it */
	kill(set.job[0].pid, SIGKILL);
	await(1);
	expect_done(1, CORE_RESULT_FAILED, "killed by signal 9");
	agent_job_tick(&set, 3);
	await(1);
	expect_done(3, CORE_RESULT_FAILED, "gone");
	expect_nothing_done();
}

/* What an engine that ended began takes its time, and what waits for it has all of its own. */
static void test_waiting_is_not_failing(void **state)
{
	static const char *const sleeps[] = {"/bin/sleep", "1000", NULL};

	(void)state;
	set_command(conf.resource[0].stop, sleeps);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	agent_job_engine(&set);
	ask(1, 1, CORE_RUN_STOP, 1);
	agent_job_tick(&set, TIMEOUT_MS);
	assert_int_equal(set.job[0].state, AGENT_JOB_TERMINATED);
	agent_job_tick(&set, TIMEOUT_MS + 500); /* now the stop waits for longer than its own */
	expect_nothing_done();
	await(1);
	agent_job_tick(&set, TIMEOUT_MS + 500);
	assert_int_equal(set.job[0].state, AGENT_JOB_RUNNING);
	assert_int_equal(agent_job_deadline_ms(&set, TIMEOUT_MS + 500), 2 * TIMEOUT_MS + 500);
	agent_job_tick(&set, 2 * TIMEOUT_MS + 499);
	expect_nothing_done();
	agent_job_tick(&set, 2 * TIMEOUT_MS + 500);
	expect_done(1, CORE_RESULT_FAILED, "timed out after 1000 ms");
}

/* What an engine that ended asked of it nobody waits for. */
static void test_a_look_ends_the_elders(void **state)
{
	(void)state;
	ask(1, 1, CORE_RUN_MONITOR, 0);
	agent_job_tick(&set, 0);
	ask(2, 1, CORE_RUN_PROBE, 1);
	assert_int_equal(set.job[0].state, AGENT_JOB_RUNNING); /* its own is waited for */
	agent_job_engine(&set);
	ask(1, 1, CORE_RUN_PROBE, 2);
	assert_int_equal(set.job[0].state, AGENT_JOB_KILLED);
	await(1);
	expect_nothing_done();
}

static void test_another_engine(void **state)
{
	(void)state;
	ask(1, 1, CORE_RUN_STOP, 0);
	ask(1, 2, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	ask(2, 2, CORE_RUN_STOP, 0);
	agent_job_engine(&set);
	assert_false(set.job[1].waiting.is_set);
	assert_int_equal(set.job[1].state, AGENT_JOB_RUNNING);
	await(1);
	expect_nothing_done();
	ask(1, 1, CORE_RUN_STOP, 0);
	agent_job_tick(&set, 0);
	await(1);
	expect_done(1, CORE_RESULT_FAILED, "gone");
}

/* Once, by the next engine's first probe, whether that finds that it runs or not. */
static void expect_told_to_next(enum core_result found)
{
	for (int has_ended = 0; has_ended < 2; has_ended++) {
		ask(1, 1, CORE_RUN_STOP, 0);
		agent_job_tick(&set, 0);
		if (has_ended)
			await(1); /* and nobody was there to be told */
		agent_job_engine(&set);
		if (!has_ended)
			await(1);
		expect_nothing_done();
		for (uint32_t id = 2; id < 4; id++) {
			ask(id, 1, CORE_RUN_PROBE, 0);
			agent_job_tick(&set, 0);
			await(1);
			expect_done(id, found, id == 2 ? "gone" : "");
		}
	}
}

static void test_why_it_failed_is_told_to_the_next_engine(void **state)
{
	static const char *const off[] = {"/bin/sh", "-c", "echo off; exit 3", NULL};
	static const char *const on[] = {"/bin/true", NULL};

	(void)state;
	set_command(conf.resource[0].status, off);
	expect_told_to_next(CORE_RESULT_STOPPED);
	set_command(conf.resource[0].status, on);
	expect_told_to_next(CORE_RESULT_RUNNING);
}

/* Whatever an engine says, only what is configured is run. */
static void test_nonsense_is_ignored(void **state)
{
	(void)state;
	ask(1, 0, CORE_RUN_START, 0);
	ask(1, SCRIPTS + 1, CORE_RUN_START, 0);
	ask(1, SCRIPTS + 2, CORE_RUN_START, 0);
	ask(1, 65535, CORE_RUN_START, 0);
	ask(1, 1, 0, 0);
	ask(1, 1, CORE_RUN_PREPARE, 0);
	ask(1, 1, 77, 0);
	agent_job_tick(&set, 0);
	assert_int_equal(running(), 0);
	expect_nothing_done();
}

static void test_cannot_be_executed(void **state)
{
	static const char *const missing[] = {"/nonexistent/program", NULL};

	(void)state;
	set_command(conf.resource[0].start, missing);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	await(1);
	expect_done(1, CORE_RESULT_FATAL,
		    "cannot be executed: /nonexistent/program: No such file or directory");
}

/* What a start left may hold its output; nothing is closed on it until it lets go. */
static void test_daemon_keeps_the_pipe(void **state)
{
	static const char *const starts[] = {"/bin/sh", "-c", "sleep 1000 & echo $!", NULL};
	struct pollfd fds[AGENT_JOB_FDS_MAX];
	char pid[YOKE_REASON_SIZE];

	(void)state;
	set_command(conf.resource[0].start, starts);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	await(1);
	expect_done(1, CORE_RESULT_DONE, "");
	assert_int_equal(agent_job_fds(&set, 0, fds), 1);
	assert_int_equal(poll(fds, 1, 0), 0);
	agent_job_last_line(&set.job[0].output, pid);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
	assert_int_equal(poll(fds, 1, -1), 1);
	agent_job_read(&set, fds, 1, 100);
	assert_int_equal(set.job[0].left_fd, -1);
	assert_int_equal(agent_job_fds(&set, 200, fds), 0);
}

/* Who started it ends, and the next one finds what it writes: more than fits, without an error. */
static void test_daemon_outlives_who_reads_it(void **state)
{
	static const char *const starts[] = {
		"/bin/sh", "-c", "sh -c 'kill -STOP $$; exec cat /dev/zero' & echo $!", NULL};
	struct pollfd fds[AGENT_JOB_FDS_MAX];
	char line[YOKE_REASON_SIZE];
	siginfo_t info = {0};
	pid_t pid;

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_command(conf.resource[0].start, starts);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	await(1);
	agent_job_last_line(&set.job[0].output, line);
	pid = (pid_t)strtol(line, NULL, 10);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	kill(pid, SIGCONT);
	close(set.job[0].left_fd); /* the keeper is gone, and there is another one */
	agent_job_init(&set, &conf, "alpha");
	agent_job_find_left(&set);
	assert_int_equal(agent_job_fds(&set, 0, fds), 1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(poll(fds, 1, -1), 1);
		agent_job_read(&set, fds, 1, 0);
	}
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(info.si_pid, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* A keeper that is stopped for a while stops nothing that writes. */
static void test_daemon_writes_while_nobody_reads(void **state)
{
	static const char *const starts[] = {
		"/bin/sh", "-c",
		/* What it writes comes after the line with its number. */
		"(while kill -0 $$ 2> /dev/null; do sleep 0.01; done; "
		"head -c 1000000 /dev/zero; exec sleep 1000) & echo $!",
		NULL};
	char line[YOKE_REASON_SIZE], name[64], what[16] = "";
	long pid;
	FILE *f;

	(void)state;
	set_command(conf.resource[0].start, starts);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	await(1);
	agent_job_last_line(&set.job[0].output, line);
	pid = strtol(line, NULL, 10);
	assert_true(pid > 0);
	snprintf(name, sizeof(name), "/proc/%ld/comm", pid);
	for (int i = 0; i < 1000 && strcmp(what, "sleep\n") != 0; i++) {
		poll(NULL, 0, 10);
		f = fopen(name, "r");
		assert_non_null(f);
		assert_non_null(fgets(what, sizeof(what), f));
		fclose(f);
	}
	kill((pid_t)pid, SIGKILL);
	assert_string_equal(what, "sleep\n");
}

static void test_output_is_read_with_rests(void **state)
{
	static const char *const chatty[] = {"/bin/cat", "/dev/zero", NULL};
	struct pollfd fds[AGENT_JOB_FDS_MAX];

	(void)state;
	set_command(conf.resource[0].start, chatty);
	ask(1, 1, CORE_RUN_START, 0);
	agent_job_tick(&set, 0);
	assert_int_equal(agent_job_fds(&set, 10, fds), 1);
	assert_int_equal(poll(fds, 1, -1), 1);
	agent_job_read(&set, fds, 1, 10);
	assert_int_equal(agent_job_fds(&set, 10, fds), 0);
	assert_int_equal(agent_job_deadline_ms(&set, 10), 10 + AGENT_JOB_REST_MS);
	assert_int_equal(agent_job_fds(&set, 10 + AGENT_JOB_REST_MS, fds), 1);
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(test_none_waits_for_another_resource),
		JOB_TEST(test_result),
		JOB_TEST(test_timeout),
		JOB_TEST(test_term_then_kill),
		JOB_TEST(test_all_of_a_late_job_is_killed),
		JOB_TEST(test_hung),
		JOB_TEST(test_stop_ends_a_monitor),
		JOB_TEST(test_newest_waits),
		JOB_TEST(test_waiting_is_not_failing),
		JOB_TEST(test_a_look_ends_the_elders),
		JOB_TEST(test_another_engine),
		JOB_TEST(test_why_it_failed_is_told_to_the_next_engine),
		JOB_TEST(test_nonsense_is_ignored),
		JOB_TEST(test_cannot_be_executed),
		JOB_TEST(test_daemon_keeps_the_pipe),
		JOB_TEST(test_daemon_outlives_who_reads_it),
		JOB_TEST(test_daemon_writes_while_nobody_reads),
		JOB_TEST(test_output_is_read_with_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
