/* agent/job.h: fence agents: what they read, what is shown of them, and that they wait for nobody.
 * Processes are real, time is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/job.h"

enum { SCRIPTS = 16, TIMEOUT_MS = 1000, OFF = CORE_ASK_OFF, STATUS = CORE_ASK_STATUS };

static struct conf conf;
static struct conf_arbiter *const arbiter = &conf.arbiter[0];
static struct agent_job_set set;
static struct agent_job *const job = &set.job[SCRIPTS]; /* of the first arbiter */
static char dir[64], agent[96], seen[96], secret_file[96];
static int channel[2];

static void set_words(char words[CONF_COMMAND_SIZE], const char *const *from)
{
	size_t used = 0;

	memset(words, 0, CONF_COMMAND_SIZE);
	for (; *from != NULL; from++)
		used += (size_t)snprintf(words + used, CONF_COMMAND_SIZE - used, "%s", *from) + 1;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	FILE *out;

	unlink(name);
	out = fopen(name, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(chmod(name, mode), 0);
}

/* What the agent does, with its input in $in. */
static void set_agent(const char *script)
{
	char text[512];

	snprintf(text, sizeof(text), "#!/bin/sh\nin=$(cat)\n%s\n", script);
	write_file(agent, text, 0700);
}

static int set_up(void **state)
{
	static const char *const sleeps[] = {"/bin/sleep", "1000", NULL};

	(void)state;
	memset(&conf, 0, sizeof(conf));
	memset(&set, 0, sizeof(set));
	snprintf(dir, sizeof(dir), "/tmp/yoke-fence-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(agent, sizeof(agent), "%s/agent", dir);
	snprintf(seen, sizeof(seen), "%s/seen", dir);
	snprintf(secret_file, sizeof(secret_file), "%s/secret", dir);
	conf.node_count = 2;
	conf.resource_count = SCRIPTS;
	for (int i = 0; i < SCRIPTS; i++) {
		conf.resource[i].type = YOKE_RESOURCE_TYPE_SCRIPT;
		set_words(conf.resource[i].start, sleeps);
	}
	conf.arbiter_count = 2;
	for (int i = 0; i < 2; i++) {
		conf.arbiter[i].type = YOKE_ARBITER_TYPE_FENCE;
		conf.arbiter[i].node[1] = true;
		snprintf(conf.arbiter[i].agent, CONF_FILE_SIZE, "%s", agent);
	}
	agent_job_init(&set, &conf, "alpha");
	agent_job_engine(&set);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel);
}

static int tear_down(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < AGENT_JOB_SLOTS_MAX; i++)
		if (set.job[i].state != AGENT_JOB_NONE && kill(-set.job[i].pid, SIGKILL) < 0)
			kill(set.job[i].pid, SIGKILL);
	while ((pid = waitpid(-1, &status, 0)) > 0)
		assert_true(agent_job_ended(&set, pid, status));
	close(channel[0]);
	close(channel[1]);
	unlink(agent);
	unlink(seen);
	unlink(secret_file);
	return rmdir(dir);
}

static void ask_of(uint32_t id, int number, int kind, int node)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_ASK};

	m.u.ask.id = id;
	m.u.ask.arbiter = (uint16_t)number;
	m.u.ask.kind = (uint32_t)kind;
	m.u.ask.node = (uint16_t)node;
	m.u.ask.timeout_ms = TIMEOUT_MS;
	agent_job_ask_fence(&set, &m, 0);
}

static void ask(uint32_t id, int kind)
{
	ask_of(id, 1, kind, 2);
}

static void expect_answer(uint32_t id, enum core_result result, const char *reason)
{
	struct agent_channel_message m;

	assert_false(agent_job_tell(&set, channel[0]));
	assert_int_equal(agent_channel_receive(channel[1], &m), 1);
	assert_int_equal(m.kind, AGENT_CHANNEL_ANSWER);
	assert_int_equal(m.u.answer.id, id);
	assert_string_equal(m.u.answer.reason, reason);
	assert_int_equal(m.u.answer.result, result);
}

static void expect_no_answer(void)
{
	struct agent_channel_message m;

	assert_false(agent_job_tell(&set, channel[0]));
	assert_int_equal(agent_channel_receive(channel[1], &m), 0);
}

/* The first arbiter's agent has ended by itself or by what it was sent. */
static void await(void)
{
	siginfo_t info;
	int status;

	assert_int_equal(waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOWAIT), 0);
	agent_job_ending(&set, job->pid);
	assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
	assert_true(agent_job_ended(&set, job->pid, status));
}

static void run(uint32_t id, int kind)
{
	ask(id, kind);
	agent_job_tick(&set, 0);
	assert_int_equal(job->state, AGENT_JOB_RUNNING);
	await();
}

static void expect_seen(const char *wanted)
{
	static char text[8192];
	FILE *in = fopen(seen, "r");

	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	assert_string_equal(text, wanted);
}

/* The file must be root's, so that only root can make one. */
static void set_secrets(const char *text, mode_t mode)
{
	if (geteuid() != 0)
		skip();
	snprintf(arbiter->secret_file, sizeof(arbiter->secret_file), "%s", secret_file);
	write_file(secret_file, text, mode);
}

/* ---- verdicts ---- */

static void expect_verdict(const char *script, int kind, enum core_result result,
			   const char *reason)
{
	set_agent(script);
	run(7, kind);
	expect_answer(7, result, reason);
	expect_no_answer();
}

static void test_verdicts(void **state)
{
	(void)state;
	expect_verdict("echo Success: Powered OFF", OFF, CORE_RESULT_DONE, "");
	expect_verdict("echo cannot login; exit 1", OFF, CORE_RESULT_FAILED, "cannot login");
	expect_verdict("exit 2", OFF, CORE_RESULT_FAILED, "ended with status 2");
	expect_verdict("echo Status: ON", STATUS, CORE_RESULT_RUNNING, "");
	expect_verdict("echo Status: OFF; exit 2", STATUS, CORE_RESULT_STOPPED, "");
	expect_verdict("exit 1", STATUS, CORE_RESULT_FAILED, "ended with status 1");
	expect_verdict("exit 3", STATUS, CORE_RESULT_FAILED, "ended with status 3");
	expect_verdict("exit 127", STATUS, CORE_RESULT_FAILED, "cannot be executed");
	expect_verdict("kill -9 $$", OFF, CORE_RESULT_FAILED, "killed by signal 9");
	snprintf(arbiter->agent, sizeof(arbiter->agent), "/nonexistent/agent");
	expect_verdict("", OFF, CORE_RESULT_FAILED,
		       "cannot be executed: /nonexistent/agent: No such file or directory");
}

static void test_real_agent(void **state)
{
	static char status_file[128];
	const char *const parameters[] = {"type=file", status_file, NULL};

	(void)state;
	snprintf(status_file, sizeof(status_file), "status_file=%s", seen);
	set_words(arbiter->parameters, parameters);
	snprintf(arbiter->agent, sizeof(arbiter->agent), "/usr/sbin/fence_dummy");
	if (access(arbiter->agent, X_OK) < 0)
		skip();
	write_file(seen, "on", 0600);
	run(1, STATUS);
	expect_answer(1, CORE_RESULT_RUNNING, "");
	run(2, OFF);
	expect_answer(2, CORE_RESULT_DONE, "");
	run(3, STATUS);
	expect_answer(3, CORE_RESULT_STOPPED, "");
}

/* ---- what it reads ---- */

static void test_input(void **state)
{
	static const char *const common[] = {"ip=192.0.2.9", "lanplus=1", NULL};
	static const char *const alphas[] = {"plug=1", NULL};
	static const char *const betas[] = {"plug=2", "label=two words", NULL};

	(void)state;
	set_words(arbiter->parameters, common);
	set_words(arbiter->node_parameters[0], alphas);
	set_words(arbiter->node_parameters[1], betas);
	set_secrets("# of the board\n\n  username=admin\r\npassword=to=p s\n", 0600);
	set_agent("echo \"$in\" > ${0%/*}/seen");
	run(1, OFF);
	expect_seen("ip=192.0.2.9\nlanplus=1\nplug=2\nlabel=two words\n"
		    "username=admin\npassword=to=p s\naction=off\n");
	expect_answer(1, CORE_RESULT_DONE, "");
	run(2, STATUS);
	expect_seen("ip=192.0.2.9\nlanplus=1\nplug=2\nlabel=two words\n"
		    "username=admin\npassword=to=p s\naction=status\n");
}

/* Neither arguments, environment nor descriptors tell anything. */
static void test_nothing_else_is_given(void **state)
{
	(void)state;
	setenv("YOKE_TEST", "leaks", 1);
	set_secrets("password=topsecret", 0600);
	set_agent("{ tr '\\0' '\\n' </proc/$$/environ; echo $#; tr '\\0' ' ' </proc/$$/cmdline |"
		  " grep -c secret; echo $(ls /proc/self/fd); } > ${0%/*}/seen");
	run(1, OFF);
	expect_seen("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C\n"
		    "0\n0\n0 1 2 3\n");
}

static void expect_refused_secret(const char *reason)
{
	set_agent("touch ${0%/*}/seen");
	run(1, OFF);
	expect_answer(1, CORE_RESULT_FAILED, reason);
	assert_int_equal(access(seen, F_OK), -1);
}

static void test_bad_secret_files(void **state)
{
	static char big[AGENT_JOB_SECRET_SIZE + 1];

	(void)state;
	snprintf(arbiter->secret_file, sizeof(arbiter->secret_file), "%s", secret_file);
	expect_refused_secret("secret_file: No such file or directory");
	set_secrets("password=x\n", 0640);
	expect_refused_secret("secret_file: must be root's alone: chown root, chmod 600");
	set_secrets("password=x\n", 0600);
	assert_int_equal(chown(secret_file, 1, 0), 0);
	expect_refused_secret("secret_file: must be root's alone: chown root, chmod 600");
	set_secrets("password=x\ntopsecret\n", 0600);
	expect_refused_secret("secret_file: line 2 is not name=value");
	memset(big, 'x', AGENT_JOB_SECRET_SIZE);
	set_secrets(big, 0600);
	expect_refused_secret("secret_file: is too long");
	unlink(secret_file);
	assert_int_equal(mkfifo(secret_file, 0600), 0);
	expect_refused_secret("secret_file: is not a regular file");
}

/* ---- what is shown ---- */

static void test_secrets_are_not_shown(void **state)
{
	(void)state;
	set_secrets("login=top\npassword=topsecret\npin=7\n", 0600);
	expect_verdict("echo \"$in\"; echo 'topsecret of top is wrong: 7'; exit 1", OFF,
		       CORE_RESULT_FAILED, "*** of *** is wrong: *");
	/* Nothing of it stays in the keeper. */
	assert_null(memmem(&set, sizeof(set), "topsecret", 9));
	assert_null(memmem(set.secret, sizeof(*set.secret), "topsecret", 9));
}

static void test_secrets_are_not_shown_when_late(void **state)
{
	struct pollfd fds[AGENT_JOB_FDS_MAX];

	(void)state;
	set_secrets("password=topsecret\n", 0600);
	set_agent("printf 'try topsecret\\nagain topsec'; sleep 1000");
	ask(1, OFF);
	agent_job_tick(&set, 0);
	assert_int_equal(agent_job_fds(&set, 0, fds), 1);
	while (job->output.size < 26) {
		assert_int_equal(poll(fds, 1, -1), 1);
		agent_job_read(&set, fds, 1, 0);
	}
	agent_job_tick(&set, TIMEOUT_MS);
	expect_answer(1, CORE_RESULT_FAILED, "timed out after 1000 ms: try ***");
	assert_int_equal(job->state, AGENT_JOB_TERMINATED);
	await();
	expect_no_answer();
}

/* A line that lost its beginning may have lost the beginning of a secret, too. */
static void test_cut_lines_are_not_shown(void **state)
{
	static struct agent_job_secret secret = {.size = 7, .bytes = "secret"};
	static struct agent_job_output output;
	char line[YOKE_REASON_SIZE];

	(void)state;
	for (unsigned i = 0; i < AGENT_JOB_OUTPUT_SIZE / 4; i++)
		agent_job_append(&output, "cret", 4);
	agent_job_mask(&output, &secret, true);
	assert_int_equal(output.size, 0);
	for (unsigned i = 0; i < AGENT_JOB_OUTPUT_SIZE / 4; i++)
		agent_job_append(&output, "cret", 4);
	agent_job_append(&output, "\nthe secret", 11);
	agent_job_mask(&output, &secret, true);
	agent_job_last_line(&output, line);
	assert_string_equal(line, "the ***");
}

/* ---- who runs ---- */

static void test_waits_for_nobody(void **state)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_JOB};

	(void)state;
	for (int r = 1; r <= SCRIPTS; r++) {
		m.u.job.id = (uint32_t)r;
		m.u.job.resource = (uint16_t)r;
		m.u.job.kind = CORE_RUN_START;
		m.u.job.timeout_ms = TIMEOUT_MS;
		agent_job_ask(&set, &m, 0);
	}
	agent_job_tick(&set, 0);
	set_agent("exit 0");
	run(100, OFF);
	expect_answer(100, CORE_RESULT_DONE, "");
	for (int r = 1; r <= SCRIPTS; r++)
		assert_int_equal(set.job[r - 1].state, AGENT_JOB_RUNNING);
}

static void test_off_ends_a_status(void **state)
{
	(void)state;
	set_agent("[ \"${in##*=}\" = off ] || sleep 1000");
	ask(1, STATUS);
	agent_job_tick(&set, 0);
	ask(2, OFF);
	agent_job_tick(&set, 0);
	assert_int_equal(job->state, AGENT_JOB_KILLED);
	await();
	expect_no_answer();
	agent_job_tick(&set, 0);
	await();
	expect_answer(2, CORE_RESULT_DONE, "");
}

/* Behind one of an engine that ended: it must not begin when nobody counts on it any more. */
static void test_waits_no_longer_than_its_time(void **state)
{
	(void)state;
	set_agent("sleep 1000");
	ask(1, OFF);
	agent_job_tick(&set, -1);
	agent_job_engine(&set);
	ask(1, OFF);
	agent_job_tick(&set, TIMEOUT_MS - 2);
	expect_no_answer();
	assert_int_equal(agent_job_deadline_ms(&set, TIMEOUT_MS - 2), TIMEOUT_MS - 1);
	agent_job_tick(&set, TIMEOUT_MS);
	expect_answer(1, CORE_RESULT_FAILED, "had to wait for 1000 ms, and did not run");
	await();
	agent_job_tick(&set, TIMEOUT_MS);
	assert_int_equal(job->state, AGENT_JOB_NONE);
}

static void test_cancel(void **state)
{
	(void)state;
	set_agent("exit 0");
	ask(1, OFF);
	agent_job_cancel(&set, 2);
	assert_true(job->waiting.is_set);
	agent_job_cancel(&set, 1);
	agent_job_tick(&set, 0);
	assert_int_equal(job->state, AGENT_JOB_NONE); /* it never began */
	ask(3, OFF);
	agent_job_tick(&set, 0);
	agent_job_cancel(&set, 3);
	assert_int_equal(job->state, AGENT_JOB_RUNNING); /* it is not stopped half-way */
	await();
	expect_no_answer();
	run(4, OFF);
	expect_answer(4, CORE_RESULT_DONE, "");
}

static void test_another_engine(void **state)
{
	(void)state;
	set_agent("exit 0");
	ask(1, OFF);
	agent_job_tick(&set, 0);
	ask(2, OFF);
	agent_job_engine(&set);
	assert_false(job->waiting.is_set);
	await();
	expect_no_answer();
}

/* Whatever an engine says, only what is configured is run. */
static void test_nonsense_is_ignored(void **state)
{
	(void)state;
	conf.arbiter[1].type = YOKE_ARBITER_TYPE_DISK;
	ask_of(1, 0, OFF, 2);
	ask_of(1, 2, OFF, 2);
	ask_of(1, 3, OFF, 2);
	ask_of(1, 65535, OFF, 2);
	ask_of(1, 1, OFF, 0);
	ask_of(1, 1, OFF, 1); /* the agent is not for this node */
	ask_of(1, 1, OFF, 3);
	ask_of(1, 1, OFF, 65535);
	ask_of(1, 1, 0, 2);
	ask_of(1, 1, CORE_ASK_WRITE, 2);
	ask_of(1, 1, 77, 2);
	for (unsigned i = 0; i < AGENT_JOB_SLOTS_MAX; i++)
		assert_false(set.job[i].waiting.is_set);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verdicts),
		TEST(test_real_agent),
		TEST(test_input),
		TEST(test_nothing_else_is_given),
		TEST(test_bad_secret_files),
		TEST(test_secrets_are_not_shown),
		TEST(test_secrets_are_not_shown_when_late),
		TEST(test_cut_lines_are_not_shown),
		TEST(test_waits_for_nobody),
		TEST(test_off_ends_a_status),
		TEST(test_cancel),
		TEST(test_waits_no_longer_than_its_time),
		TEST(test_another_engine),
		TEST(test_nonsense_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
