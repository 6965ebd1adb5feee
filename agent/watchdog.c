#include "agent/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/base/log.h"

enum {
	FEEDS = 5,      /* in one time-out */
	FEEDS_NEAR = 3, /* a gap as long as so many is told */
};

static const char food = '\0', stop = 'V';

/* ---- what the engine is told ---- */

/* While the engine has not read the last reason, that one stays. */
static void fail(struct agent_watchdog *w, const char *what, const char *why)
{
	struct agent_shared *s = w->shared;

	atomic_store(&s->watchdog_fed, false);
	atomic_store(&s->watchdog_works, false);
	if (atomic_load(&s->watchdog_failed))
		return;
	snprintf(s->watchdog_reason, sizeof(s->watchdog_reason), "%.60s: %.33s", what, why);
	atomic_store(&s->watchdog_failed, true);
}

static void tell_gap(struct agent_watchdog *w, int64_t gap_ms)
{
	if (gap_ms > (int64_t)w->timeout_ms * FEEDS_NEAR / FEEDS &&
	    gap_ms > atomic_load(&w->shared->watchdog_gap_ms))
		atomic_store(&w->shared->watchdog_gap_ms, gap_ms);
}

/* ---- the device ---- */

static void give_up(struct agent_watchdog *w)
{
	if (write(w->fd, &stop, 1) != 1)
		yoke_log(YOKE_LOG_WARNING, "watchdog: cannot be stopped: %s", strerror(errno));
	close(w->fd);
	w->fd = -1;
}

/* Returns false after it said why. */
static bool set_timeout(struct agent_watchdog *w, const char *device)
{
	int wanted_s = (int)((w->timeout_ms + 999) / 1000), got_s = wanted_s;
	char why[YOKE_REASON_SIZE];

	if (ioctl(w->fd, WDIOC_SETTIMEOUT, &got_s) < 0) {
		if (errno == ENOTTY) {
			yoke_log(YOKE_LOG_INFO, "watchdog: %s cannot be told its time-out", device);
			return true;
		}
		snprintf(why, sizeof(why), "refuses %d s: %.20s", wanted_s, strerror(errno));
		fail(w, device, why);
		return false;
	}
	if (got_s > wanted_s || got_s < 1) {
		snprintf(why, sizeof(why), "makes %d s of %d s", got_s, wanted_s);
		fail(w, device, why);
		return false;
	}
	if ((uint32_t)got_s * 1000 < w->timeout_ms)
		w->timeout_ms = (uint32_t)got_s * 1000;
	return true;
}

void agent_watchdog_open(struct agent_watchdog *w, const char *device, uint32_t timeout_ms,
			 struct agent_shared *shared, int64_t now_ms)
{
	*w = (struct agent_watchdog){.fd = -1, .shared = shared, .timeout_ms = timeout_ms};
	atomic_store(&shared->watchdog_fed, false);
	atomic_store(&shared->watchdog_failed, false);
	atomic_store(&shared->watchdog_gap_ms, 0);
	if (device[0] == '\0')
		return;
	w->fd = open(device, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (w->fd < 0) {
		fail(w, device, errno == ENXIO ? "nobody reads it, or no device" : strerror(errno));
		return;
	}
	if (!set_timeout(w, device)) {
		give_up(w);
		return;
	}
	atomic_store(&shared->watchdog_works, true);
	w->fed_ms = w->feed_at_ms = now_ms; /* a device counts from when it is opened */
	agent_watchdog_tick(w, now_ms);
}

void agent_watchdog_tick(struct agent_watchdog *w, int64_t now_ms)
{
	if (w->fd < 0 || now_ms < w->feed_at_ms)
		return;
	w->feed_at_ms = now_ms + w->timeout_ms / FEEDS;
	if (now_ms >= atomic_load(&w->shared->feed_until_us) / 1000) {
		atomic_store(&w->shared->watchdog_fed, false);
		return;
	}
	if (write(w->fd, &food, 1) != 1) {
		if (!w->is_failing)
			fail(w, "it cannot be fed", strerror(errno));
		w->is_failing = true;
		return;
	}
	tell_gap(w, now_ms - w->fed_ms);
	w->is_failing = false;
	w->fed_ms = now_ms;
	atomic_store(&w->shared->watchdog_works, true);
	atomic_store(&w->shared->watchdog_fed, true);
}

int64_t agent_watchdog_deadline_ms(const struct agent_watchdog *w)
{
	return w->fd < 0 ? INT64_MAX : w->feed_at_ms;
}

void agent_watchdog_close(struct agent_watchdog *w)
{
	if (w->fd < 0)
		return;
	if (atomic_load(&w->shared->is_exclusive) ||
	    atomic_load(&w->shared->feed_until_us) != YOKE_NEVER.us) {
		close(w->fd);
		w->fd = -1;
	} else {
		give_up(w);
	}
	atomic_store(&w->shared->watchdog_fed, false);
}
