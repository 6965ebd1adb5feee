#include "tools/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/json_fields.h"
#include "agent/base/limits.h"

#define PROGRAM "/usr/bin/diff"

enum { FD_FROM = 3, FD_TO = 4, FD_HIGH = 64, NO_PROGRAM = 127 };

static int share(const struct tool_diff_side *side)
{
	int fd = memfd_create("yoke.conf", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, side->text, side->size) == (ssize_t)side->size)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void run(int from, int to, int out, const char *from_name, const char *to_name)
	__attribute__((noreturn));

static void run(int from, int to, int out, const char *from_name, const char *to_name)
{
	char *const none[] = {NULL};
	int high[] = {fcntl(from, F_DUPFD, FD_HIGH), fcntl(to, F_DUPFD, FD_HIGH)};

	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(high[0], FD_FROM) >= 0 &&
	    dup2(high[1], FD_TO) >= 0)
		execle(PROGRAM, "diff", "-u", "--label", from_name, "--label", to_name,
		       "/proc/self/fd/3", "/proc/self/fd/4", (char *)NULL, none);
	_exit(NO_PROGRAM);
}

/* All that the pipe gives; NULL: no memory. */
static char *read_all(int fd)
{
	char *text = NULL, part[4096];
	size_t size = 0;
	FILE *all = open_memstream(&text, &size);
	ssize_t got;

	while (all != NULL && ((got = read(fd, part, sizeof(part))) > 0 || errno == EINTR))
		if (got > 0)
			fwrite(part, 1, (size_t)got, all);
		else if (got == 0)
			break;
	if (all == NULL || fclose(all) != 0)
		return NULL;
	return text;
}

/* Nothing but text, line feeds and tabs. */
static void tidy(char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n\t");
		char end = text[len];

		text[len] = '\0';
		yoke_json_tidy(text);
		text[len] = end;
		text += end == '\0' ? len : len + 1;
	}
}

int tool_diff(const struct tool_diff_side *from, const struct tool_diff_side *to, char **text,
	      char *why)
{
	int fd[2] = {share(from), share(to)}, out[2] = {-1, -1}, status = 0;
	pid_t pid = -1;

	*text = NULL;
	if (fd[0] >= 0 && fd[1] >= 0 && pipe2(out, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		run(fd[0], fd[1], out[1], from->name, to->name);
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	if (out[1] >= 0)
		close(out[1]);
	if (pid > 0)
		*text = read_all(out[0]);
	if (out[0] >= 0)
		close(out[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) <= 1 && *text != NULL) {
		tidy(*text);
		return 0;
	}
	snprintf(why, YOKE_REASON_SIZE, "%s does not run: is the package diffutils installed?",
		 PROGRAM);
	free(*text);
	*text = NULL;
	return -1;
}
