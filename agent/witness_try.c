#include "agent/witness_try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/base/limits.h"
#include "agent/base/log.h"
#include "agent/privilege.h"

static const char file[] = "~try"; /* no cluster has such a name */

void agent_witness_try_init(struct agent_witness_try *t, int dir_fd)
{
	*t = (struct agent_witness_try){.dir_fd = dir_fd, .fd = -1};
}

int agent_witness_try_write(int dir_fd, const char *name, const char *text)
{
	char made[YOKE_NAME_SIZE + 8];
	ssize_t size = (ssize_t)strlen(text);
	int fd, error = 0;

	snprintf(made, sizeof(made), "%s.new", name);
	fd = openat(dir_fd, made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	errno = EIO;
	if (write(fd, text, (size_t)size) != size || fsync(fd) < 0)
		error = errno;
	if (close(fd) < 0 && error == 0)
		error = errno;
	if (error == 0 && (renameat(dir_fd, made, dir_fd, name) < 0 || fsync(dir_fd) < 0))
		error = errno;
	errno = error;
	return error == 0 ? 0 : -1;
}

/* It has nothing of the witness but the directory: one that hangs in the kernel keeps no port. */
static void run(int dir_fd, int end, pid_t parent)
{
	int error;

	if (dup2(dir_fd, STDIN_FILENO) < 0 || dup2(end, STDOUT_FILENO) < 0 ||
	    close_range(STDOUT_FILENO + 1, ~0U, 0) < 0 || agent_privilege_bind(parent) < 0)
		_exit(1);
	error = agent_witness_try_write(STDIN_FILENO, file, "\n") < 0 ? errno : 0;
	_exit(write(STDOUT_FILENO, &error, sizeof(error)) != (ssize_t)sizeof(error));
}

/* Returns 0; -1 with errno. */
static int begin(struct agent_witness_try *t, yoke_time now)
{
	pid_t self = getpid(), pid;
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		run(t->dir_fd, ends[1], self);
	error = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		errno = error;
		return -1;
	}
	t->fd = ends[0];
	t->began = now;
	return 0;
}

enum agent_witness_can agent_witness_try_ask(struct agent_witness_try *t, yoke_time now, int *error)
{
	if (t->fd < 0 && yoke_time_due(t->until, now) && begin(t, now) < 0)
		agent_witness_try_note(t, now, errno);
	*error = 0;
	if (t->fd >= 0)
		return yoke_time_due(yoke_time_add_ms(t->began, AGENT_WITNESS_TRY_HANGS_MS), now)
			       ? AGENT_WITNESS_CANNOT_SAVE
			       : AGENT_WITNESS_IS_TRYING;
	*error = t->error;
	return t->error == 0 ? AGENT_WITNESS_CAN_SAVE : AGENT_WITNESS_CANNOT_SAVE;
}

void agent_witness_try_end(struct agent_witness_try *t, yoke_time now)
{
	int error = 0;

	if (read(t->fd, &error, sizeof(error)) != (ssize_t)sizeof(error))
		error = EINTR; /* it was killed */
	close(t->fd);
	t->fd = -1;
	agent_witness_try_note(t, now, error);
}

void agent_witness_try_note(struct agent_witness_try *t, yoke_time now, int error)
{
	if (error != 0 && t->error == 0)
		yoke_log(YOKE_LOG_ERROR, "no lock can be saved: %s", strerror(error));
	else if (error == 0 && t->error != 0)
		yoke_log(YOKE_LOG_INFO, "locks can be saved again");
	t->error = error;
	t->until = yoke_time_add_ms(now, AGENT_WITNESS_TRY_MS);
}
