/* agent/job_verdict.c: what an exit means, and which output is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "agent/job.h"

static struct agent_job_output output_of(const char *text)
{
	struct agent_job_output output = {.size = 0};

	agent_job_append(&output, text, strlen(text));
	return output;
}

/* As waitpid() tells an exit. */
static int exited(int code)
{
	return code << 8;
}

static void expect_verdict(enum core_run_kind kind, bool plugin, int code, enum core_result wanted)
{
	struct agent_job_output output = output_of("why\n");
	char reason[YOKE_REASON_SIZE];
	enum core_result got = agent_job_verdict(kind, plugin, exited(code), &output, reason);

	if (got != wanted)
		fail_msg("kind %d, status %d: %d instead of %d", kind, code, got, wanted);
	assert_string_equal(reason, code == 126 || code == 127 ? "cannot be executed: why"
				    : wanted == CORE_RESULT_DONE || wanted == CORE_RESULT_RUNNING
					    ? ""
					    : "why");
}

static void test_verdicts(void **state)
{
	(void)state;
	expect_verdict(CORE_RUN_START, false, 0, CORE_RESULT_DONE);
	for (int code = 1; code < 126; code++)
		expect_verdict(CORE_RUN_START, false, code,
			       code == 5 || code == 6 ? CORE_RESULT_FATAL : CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_STOP, false, 0, CORE_RESULT_DONE);
	expect_verdict(CORE_RUN_STOP, false, 7, CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_PROBE, false, 0, CORE_RESULT_RUNNING);
	for (int code = 1; code < 126; code++)
		expect_verdict(CORE_RUN_PROBE, false, code,
			       code == 5                ? CORE_RESULT_FATAL
			       : code <= 3 || code == 7 ? CORE_RESULT_STOPPED
							: CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_MONITOR, false, 0, CORE_RESULT_RUNNING);
	expect_verdict(CORE_RUN_MONITOR, false, 1, CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_MONITOR, false, 2, CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_MONITOR, false, 3, CORE_RESULT_STOPPED);
	expect_verdict(CORE_RUN_MONITOR, false, 4, CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_MONITOR, false, 7, CORE_RESULT_STOPPED);
	expect_verdict(CORE_RUN_MONITOR, true, 0, CORE_RESULT_RUNNING);
	expect_verdict(CORE_RUN_MONITOR, true, 1, CORE_RESULT_RUNNING);
	expect_verdict(CORE_RUN_MONITOR, true, 2, CORE_RESULT_FAILED);
	expect_verdict(CORE_RUN_MONITOR, true, 3, CORE_RESULT_FAILED);
	for (enum core_run_kind kind = CORE_RUN_PROBE; kind <= CORE_RUN_MONITOR; kind++) {
		expect_verdict(kind, false, 126, CORE_RESULT_FAILED);
		expect_verdict(kind, true, 127, CORE_RESULT_FAILED);
	}
}

static void test_reasons(void **state)
{
	struct agent_job_output none = output_of("\n \n"), some = output_of("x\n");
	char reason[YOKE_REASON_SIZE];

	(void)state;
	assert_int_equal(agent_job_verdict(CORE_RUN_START, false, exited(5), &none, reason),
			 CORE_RESULT_FATAL);
	assert_string_equal(reason, "ended with status 5");
	assert_int_equal(agent_job_verdict(CORE_RUN_PROBE, false, SIGSEGV, &some, reason),
			 CORE_RESULT_FAILED);
	assert_string_equal(reason, "killed by signal 11");
	assert_int_equal(agent_job_verdict(CORE_RUN_STOP, false, exited(127), &none, reason),
			 CORE_RESULT_FAILED);
	assert_string_equal(reason, "cannot be executed");
}

/* A program that is not there is another thing than one that says 127. */
static void test_missing_programs(void **state)
{
	struct agent_job_output missing = output_of("yoke: /etc/init.d/x: No such file\n");
	struct agent_job_output own = output_of("/etc/init.d/x: line 3: foo: not found\n");
	char reason[YOKE_REASON_SIZE];

	(void)state;
	for (enum core_run_kind kind = CORE_RUN_PROBE; kind <= CORE_RUN_MONITOR; kind++) {
		bool looks = kind == CORE_RUN_PROBE || kind == CORE_RUN_START;

		assert_int_equal(agent_job_verdict(kind, false, exited(127), &missing, reason),
				 looks ? CORE_RESULT_FATAL : CORE_RESULT_FAILED);
		assert_string_equal(reason, "cannot be executed: /etc/init.d/x: No such file");
		assert_int_equal(agent_job_verdict(kind, false, exited(127), &own, reason),
				 CORE_RESULT_FAILED);
	}
}

/* ---- output ---- */

static void expect_line(const char *text, const char *wanted)
{
	struct agent_job_output output = output_of(text);
	char line[YOKE_REASON_SIZE];

	agent_job_last_line(&output, line);
	assert_string_equal(line, wanted);
}

static void test_last_line(void **state)
{
	char wide[200];

	(void)state;
	expect_line("", "");
	expect_line("\n\n \t\n", "");
	expect_line("one", "one");
	expect_line("one\ntwo\n", "two");
	expect_line("one\n  two three \t\r\n\n", "two three");
	expect_line("a\tb", "a b");
	expect_line("\033[31mred\033[0m", "[31mred[0m");
	expect_line("caf\xc3\xa9", "caf??");
	memset(wide, 'w', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	expect_line(wide, wide + sizeof(wide) - YOKE_REASON_SIZE);
}

static void test_tail_of_output(void **state)
{
	static char expected[3 * AGENT_JOB_OUTPUT_SIZE];
	static struct agent_job_output output;
	size_t told = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(expected); i++)
		expected[i] = (char)('a' + i % 23);
	for (size_t size = 0; told + size <= sizeof(expected); size += 7) {
		size_t kept;

		agent_job_append(&output, expected + told, size);
		told += size;
		kept = told < AGENT_JOB_OUTPUT_SIZE ? told : AGENT_JOB_OUTPUT_SIZE;
		assert_int_equal(output.size, kept);
		assert_memory_equal(output.bytes, expected + told - kept, kept);
	}
	agent_job_append(&output, expected, sizeof(expected));
	assert_memory_equal(output.bytes, expected + 2 * AGENT_JOB_OUTPUT_SIZE,
			    AGENT_JOB_OUTPUT_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),         cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_missing_programs), cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_tail_of_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
