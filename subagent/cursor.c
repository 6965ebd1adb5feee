#include "subagent/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"

enum { NUMBER_SIZE = 32 }; /* bytes: 20 digits, a newline, NUL */

int subagent_cursor_load(const char *file, uint64_t *seq)
{
	char text[NUMBER_SIZE];
	char *end = text;
	ssize_t len;
	int fd;

	*seq = 0;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		yoke_log(YOKE_LOG_WARNING, "%s: %s: all remembered events are sent again", file,
			 strerror(errno));
		return -1;
	}
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	errno = 0;
	if (text[0] >= '0' && text[0] <= '9')
		*seq = strtoull(text, &end, 10);
	if (end == text || *end != '\n' || errno != 0) {
		yoke_log(YOKE_LOG_WARNING,
			 "%s holds no number: all remembered events are sent again", file);
		*seq = 0;
		return -1;
	}
	return 0;
}

static int write_and_sync(int fd, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);

	if (write(fd, text, (size_t)len) != len)
		return -1;
	return fsync(fd);
}

int subagent_cursor_save(const char *file, uint64_t seq)
{
	char temporary[PATH_MAX], text[NUMBER_SIZE];
	int fd, result, saved;

	if (snprintf(temporary, sizeof(temporary), "%s.new", file) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "\n", seq);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	result = write_and_sync(fd, text);
	saved = errno;
	close(fd);
	if (result != 0) {
		errno = saved;
		return -1;
	}
	return rename(temporary, file);
}
