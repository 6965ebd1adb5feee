#include "agent/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 512 };

static struct {
	const char *name;
	enum yoke_log_target target;
	enum yoke_log_level level;
	int fd; /* of /dev/log; -1: not connected */
	uint64_t dropped;
} the_log = {.name = "yoke", .target = YOKE_LOG_STDERR, .level = YOKE_LOG_INFO, .fd = -1};

void yoke_log_open(const char *name, enum yoke_log_target target, enum yoke_log_level level)
{
	the_log.name = name;
	the_log.target = target;
	the_log.level = level;
}

uint64_t yoke_log_dropped(void)
{
	return the_log.dropped;
}

static int priority(enum yoke_log_level level)
{
	switch (level) {
	case YOKE_LOG_ERROR:
		return LOG_ERR;
	case YOKE_LOG_WARNING:
		return LOG_WARNING;
	case YOKE_LOG_INFO:
		return LOG_INFO;
	case YOKE_LOG_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_INFO;
}

static int syslog_fd(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	if (the_log.fd >= 0)
		return the_log.fd;
	the_log.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (the_log.fd < 0)
		return -1;
	if (connect(the_log.fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(the_log.fd);
		the_log.fd = -1;
	}
	return the_log.fd;
}

static bool to_syslog(enum yoke_log_level level, const char *text)
{
	char line[LINE_SIZE + 128];
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len, fd = syslog_fd();

	if (fd < 0)
		return false;
	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s", LOG_DAEMON | priority(level), when,
		       the_log.name, (int)getpid(), text);
	if (send(fd, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK) {
		close(fd); /* the daemon was restarted: the next line connects anew */
		the_log.fd = -1;
	}
	return false;
}

/* stderr may be a pipe or a terminal that nobody reads; it is shared, so its flags are left alone
 * and poll says whether a short write would wait. */
static bool to_stderr(const char *text)
{
	char line[LINE_SIZE + 64];
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	int len = snprintf(line, sizeof(line), "%s: %s\n", the_log.name, text);

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0 &&
	       write(STDERR_FILENO, line, (size_t)len) == len;
}

void yoke_log(enum yoke_log_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list args;
	bool written;

	if (level > the_log.level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	written = the_log.target == YOKE_LOG_SYSLOG ? to_syslog(level, text) : to_stderr(text);
	if (!written)
		the_log.dropped++;
}
