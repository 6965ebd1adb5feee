/* agent/base/log.h - log lines that never wait for their reader.
 *
 * Lines go to /dev/log (RFC 3164 datagram, as syslog(3) sends them; journald reads the same socket)
 * or to stderr.  Each is sent with MSG_DONTWAIT: a log daemon that does not read costs the line,
 * never the time.  syslog(3) itself blocks after 10 unread lines (unix(7), max_dgram_qlen).
 * Lost lines are counted.  State changes are not logged here directly: they are events
 * (agent/base/event.h), and the event's text is logged.
 *
 * Layer: base.  Globals: the one log of the process.  Never blocks, never allocates.
 */
#ifndef AGENT_BASE_LOG_H
#define AGENT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum yoke_log_level { YOKE_LOG_ERROR, YOKE_LOG_WARNING, YOKE_LOG_INFO, YOKE_LOG_DEBUG };

enum yoke_log_target {
	YOKE_LOG_STDERR, /* "yoked: text"; with NOTIFY/journal under systemd "<4>text" is not used
			  */
	YOKE_LOG_SYSLOG, /* datagrams to /dev/log, facility daemon */
};

/* name: of the program, a static string.  level: lines above it are not written. */
void yoke_log_open(const char *name, enum yoke_log_target target, enum yoke_log_level level);

void yoke_log(enum yoke_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Lines lost since the start because the reader did not read. */
uint64_t yoke_log_dropped(void);

#endif
