#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"

enum {
	/* Parameters of all nodes and of one, the secrets, the action: less than a pipe holds. */
	INPUT_SIZE = 2 * CONF_COMMAND_SIZE + AGENT_JOB_SECRET_SIZE + 64,
	EXIT_FAILED = 1,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

struct input {
	size_t size;
	char text[INPUT_SIZE];
};

static void fail(const char *what, const char *why, int status) __attribute__((noreturn));
static void fail(const char *what, const char *why, int status)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, why);
	_exit(status);
}

static void add_line(struct input *in, const char *line)
{
	size_t size = strlen(line);

	if (size + 1 > sizeof(in->text) - in->size)
		fail("parameters", "too many", EXIT_FAILED);
	memcpy(in->text + in->size, line, size);
	in->text[in->size + size] = '\n';
	in->size += size + 1;
}

static void add_words(struct input *in, const char words[CONF_COMMAND_SIZE])
{
	for (const char *word = NULL; (word = conf_command_next(words, word)) != NULL;)
		add_line(in, word);
}

/* ---- secret_file ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks around it. */
static char *trimmed(char *line)
{
	size_t size;

	while (is_blank(*line))
		line++;
	for (size = strlen(line); size > 0 && is_blank(line[size - 1]); size--)
		line[size - 1] = '\0';
	return line;
}

/* The keeper must know what to hide before the agent can say it. */
static void note_secret(struct agent_job_secret *secret, const char *value)
{
	size_t size = strlen(value) + 1;

	if (size == 1)
		return;
	memcpy(secret->bytes + secret->size, value, size); /* the file has room in it */
	secret->size += (unsigned)size;
}

static void add_secret(struct input *in, struct agent_job_secret *secret, char *line, int number)
{
	char why[64], *equals;

	line = trimmed(line);
	if (line[0] == '\0' || line[0] == '#')
		return;
	equals = strchr(line, '=');
	if (equals == NULL || equals == line) {
		snprintf(why, sizeof(why), "line %d is not name=value", number);
		fail("secret_file", why, EXIT_FAILED);
	}
	note_secret(secret, equals + 1);
	add_line(in, line);
}

static size_t read_secrets(const char *file_name, char text[AGENT_JOB_SECRET_SIZE])
{
	/* A FIFO is opened without waiting, and then refused. */
	int fd = open(file_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail("secret_file", strerror(errno), EXIT_FAILED);
	if (!S_ISREG(st.st_mode))
		fail("secret_file", "is not a regular file", EXIT_FAILED);
	if (st.st_uid != 0 || (st.st_mode & 077) != 0)
		fail("secret_file", "must be root's alone: chown root, chmod 600", EXIT_FAILED);
	got = read(fd, text, AGENT_JOB_SECRET_SIZE);
	if (got < 0)
		fail("secret_file", strerror(errno), EXIT_FAILED);
	if (got == AGENT_JOB_SECRET_SIZE)
		fail("secret_file", "is too long", EXIT_FAILED);
	close(fd);
	return (size_t)got;
}

static void add_secrets(struct input *in, struct agent_job_secret *secret, const char *file_name)
{
	static char text[AGENT_JOB_SECRET_SIZE];
	char *line = text, *end;
	int number = 0;

	text[read_secrets(file_name, text)] = '\0';
	for (; line != NULL; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		add_secret(in, secret, line, ++number);
	}
}

/* ---- the agent ---- */

/* All of it fits into the pipe, so it is written before anyone reads. */
static void give(const struct input *in)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || dup2(ends[0], STDIN_FILENO) < 0 ||
	    write(ends[1], in->text, in->size) != (ssize_t)in->size)
		fail("standard input", strerror(errno), EXIT_FAILED);
}

void agent_job_fence(const struct conf_arbiter *arbiter, const struct agent_job_request *request,
		     struct agent_job_secret *secret, char *const *environment)
{
	static struct input in;
	char name[CONF_FILE_SIZE], *arguments[] = {name, NULL};

	secret->size = 0;
	add_words(&in, arbiter->parameters);
	add_words(&in, arbiter->node_parameters[request->node - 1]);
	if (arbiter->secret_file[0] != '\0')
		add_secrets(&in, secret, arbiter->secret_file);
	/* The last of a name counts: no parameter makes it a reboot. */
	add_line(&in, request->ask == CORE_ASK_OFF ? "action=off" : "action=status");
	give(&in);
	snprintf(name, sizeof(name), "%s", arbiter->agent);
	execve(name, arguments, environment);
	fail(name, strerror(errno), errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}
