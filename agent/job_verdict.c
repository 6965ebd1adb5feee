#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/job.h"

/* Exit statuses that have a meaning by convention. */
enum {
	EXIT_GOOD = 0,
	EXIT_WARNING = 1,     /* a plugin's */
	EXIT_LSB_DEAD = 1,    /* of status: not running, its pid file is there */
	EXIT_LSB_LOCKED = 2,  /* not running, its lock file is there */
	EXIT_LSB_STOPPED = 3, /* not running */
	EXIT_FENCE_OFF = 2,   /* of a fence agent's status: switched off */
	EXIT_NOT_INSTALLED = 5,
	EXIT_NOT_CONFIGURED = 6,
	EXIT_OCF_STOPPED = 7,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

enum { MASK_SIZE = 3 };

void agent_job_append(struct agent_job_output *output, const char *bytes, size_t size)
{
	size_t kept = output->size, room = sizeof(output->bytes);

	if (size > room) {
		bytes += size - room;
		size = room;
	}
	if (kept > room - size) {
		kept = room - size;
		memmove(output->bytes, output->bytes + output->size - kept, kept);
	}
	memcpy(output->bytes + kept, bytes, size);
	output->size = (unsigned)(kept + size);
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

void agent_job_last_line(const struct agent_job_output *output, char line[YOKE_REASON_SIZE])
{
	unsigned end = output->size, first, used = 0;

	while (end > 0 && is_blank(output->bytes[end - 1]))
		end--;
	for (first = end; first > 0 && output->bytes[first - 1] != '\n'; first--)
		;
	while (first < end && is_blank(output->bytes[first]))
		first++;
	for (; first < end && used < YOKE_REASON_SIZE - 1; first++) {
		char c = output->bytes[first];

		if (c >= ' ' && c <= '~')
			line[used++] = c;
		else if (c == '\t' || (unsigned char)c > '~')
			line[used++] = c == '\t' ? ' ' : '?';
	}
	line[used] = '\0';
}

/* What cannot say whether it runs may run: it is stopped before it is started anywhere. */
static bool probe_says_stopped(int code)
{
	return code == EXIT_LSB_DEAD || code == EXIT_LSB_LOCKED || code == EXIT_LSB_STOPPED ||
	       code == EXIT_OCF_STOPPED;
}

static enum core_result of_look(enum core_run_kind kind, bool plugin, int code)
{
	if (code == EXIT_GOOD)
		return CORE_RESULT_RUNNING;
	if (kind == CORE_RUN_PROBE)
		return probe_says_stopped(code) ? CORE_RESULT_STOPPED : CORE_RESULT_FAILED;
	if (plugin)
		return code == EXIT_WARNING ? CORE_RESULT_RUNNING : CORE_RESULT_FAILED;
	return code == EXIT_LSB_STOPPED || code == EXIT_OCF_STOPPED ? CORE_RESULT_STOPPED
								    : CORE_RESULT_FAILED;
}

/* Not even the program that is configured could be started, as our own child says. */
static bool is_missing(int status, const char *line)
{
	return WIFEXITED(status) &&
	       (WEXITSTATUS(status) == EXIT_CANNOT_EXECUTE ||
		WEXITSTATUS(status) == EXIT_NOT_FOUND) &&
	       strncmp(line, AGENT_JOB_NOT_EXECUTED, strlen(AGENT_JOB_NOT_EXECUTED)) == 0;
}

/* It ended, but did not do what it was asked for: returns true with the reason. */
static bool did_not_run(int status, const char *line, char reason[YOKE_REASON_SIZE])
{
	int code = WEXITSTATUS(status);

	if (is_missing(status, line))
		line += strlen(AGENT_JOB_NOT_EXECUTED);
	if (WIFSIGNALED(status))
		snprintf(reason, YOKE_REASON_SIZE, "killed by signal %d", WTERMSIG(status));
	else if (code == EXIT_CANNOT_EXECUTE || code == EXIT_NOT_FOUND)
		snprintf(reason, YOKE_REASON_SIZE, "cannot be executed%s%.70s",
			 line[0] == '\0' ? "" : ": ", line);
	else
		return false;
	return true;
}

/* Would it end so again, whatever else changes? */
static bool is_fatal(enum core_run_kind kind, int status, const char *line)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (kind == CORE_RUN_START)
		return is_missing(status, line) || code == EXIT_NOT_INSTALLED ||
		       code == EXIT_NOT_CONFIGURED;
	return kind == CORE_RUN_PROBE &&
	       (is_missing(status, line) || code == EXIT_NOT_INSTALLED);
}

static void explain(int code, const char *line, char reason[YOKE_REASON_SIZE])
{
	if (line[0] != '\0')
		memcpy(reason, line, YOKE_REASON_SIZE);
	else
		snprintf(reason, YOKE_REASON_SIZE, "ended with status %d", code);
}

enum core_result agent_job_verdict(enum core_run_kind kind, bool plugin, int status,
				   const struct agent_job_output *output,
				   char reason[YOKE_REASON_SIZE])
{
	char line[YOKE_REASON_SIZE];
	enum core_result result;
	int code;

	reason[0] = '\0';
	agent_job_last_line(output, line);
	if (did_not_run(status, line, reason))
		return is_fatal(kind, status, line) ? CORE_RESULT_FATAL : CORE_RESULT_FAILED;
	code = WEXITSTATUS(status);
	if (is_fatal(kind, status, line)) {
		explain(code, line, reason);
		return CORE_RESULT_FATAL;
	}
	if (kind == CORE_RUN_START || kind == CORE_RUN_STOP)
		result = code == EXIT_GOOD ? CORE_RESULT_DONE : CORE_RESULT_FAILED;
	else
		result = of_look(kind, plugin, code);
	if (result != CORE_RESULT_DONE && result != CORE_RESULT_RUNNING)
		explain(code, line, reason);
	return result;
}

enum core_result agent_job_fence_verdict(enum core_ask_kind ask, int status,
					 const struct agent_job_output *output,
					 char reason[YOKE_REASON_SIZE])
{
	char line[YOKE_REASON_SIZE];
	int code;

	reason[0] = '\0';
	agent_job_last_line(output, line);
	if (did_not_run(status, line, reason))
		return CORE_RESULT_FAILED;
	code = WEXITSTATUS(status);
	if (code == EXIT_GOOD)
		return ask == CORE_ASK_OFF ? CORE_RESULT_DONE : CORE_RESULT_RUNNING;
	if (ask == CORE_ASK_STATUS && code == EXIT_FENCE_OFF)
		return CORE_RESULT_STOPPED;
	explain(code, line, reason);
	return CORE_RESULT_FAILED;
}

/* ---- secrets ---- */

/* Bytes of the longest secret that begins here; 0: none does. */
static unsigned secret_at(const struct agent_job_secret *secret, const char *bytes, unsigned size)
{
	unsigned longest = 0, length;

	for (unsigned at = 0; at < secret->size; at += length + 1) {
		length = (unsigned)strnlen(secret->bytes + at, secret->size - at);
		if (length > longest && length <= size &&
		    memcmp(bytes, secret->bytes + at, length) == 0)
			longest = length;
	}
	return longest;
}

/* Bytes of lines that are whole: from *first on, up to what is returned. */
static unsigned whole_lines(const struct agent_job_output *output, bool ended, unsigned *first)
{
	unsigned end = output->size;

	while (!ended && end > 0 && output->bytes[end - 1] != '\n')
		end--;
	*first = 0;
	if (output->size == sizeof(output->bytes)) { /* something before it may be missing */
		while (*first < end && output->bytes[*first] != '\n')
			(*first)++;
	}
	return end;
}

void agent_job_mask(struct agent_job_output *output, const struct agent_job_secret *secret,
		    bool ended)
{
	unsigned at, end, used = 0, length;

	if (secret->size == 0)
		return;
	end = whole_lines(output, ended, &at);
	while (at < end) {
		length = secret_at(secret, output->bytes + at, end - at);
		if (length == 0) {
			output->bytes[used++] = output->bytes[at++];
			continue;
		}
		/* Never longer than what it replaces. */
		for (unsigned i = 0; i < MASK_SIZE && i < length; i++)
			output->bytes[used++] = '*';
		at += length;
	}
	output->size = used;
}
