#include "agent/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/base/log.h"

enum {
	FEEDS = 5,     /* in one time-out */
	NEAR_PART = 3, /* of FEEDS: a gap as long as this is a near miss */
};

static int set_timeout(struct agent_watchdog *w, char *why)
{
	int asked_s = (int)((w->timeout_ms + 999) / 1000), got_s = asked_s;

	if (ioctl(w->fd, WDIOC_SETTIMEOUT, &got_s) < 0) {
		if (errno == ENOTTY || errno == EINVAL) {
			yoke_log(YOKE_LOG_WARNING,
				 "the watchdog cannot be told its time-out: it must be %u ms",
				 w->timeout_ms);
			return 0;
		}
		snprintf(why, YOKE_REASON_SIZE, "its time-out cannot be set: %s", strerror(errno));
		return -1;
	}
	if (got_s <= asked_s)
		return 0;
	snprintf(why, YOKE_REASON_SIZE, "its shortest time-out is %d s: set watchdog_ms to that",
		 got_s);
	return -1;
}

int agent_watchdog_open(struct agent_watchdog *w, const char *device, uint32_t timeout_ms,
			int64_t now_ms, char *why)
{
	memset(w, 0, sizeof(*w));
	w->timeout_ms = timeout_ms;
	w->fed_ms = now_ms - timeout_ms; /* due at once */
	w->fd = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (w->fd < 0) {
		snprintf(why, YOKE_REASON_SIZE, "%.50s: %s", device, strerror(errno));
		return -1;
	}
	if (set_timeout(w, why) == 0)
		return 0;
	if (write(w->fd, "V", 1) != 1)
		yoke_log(YOKE_LOG_ERROR, "the watchdog cannot be closed: %s", strerror(errno));
	close(w->fd);
	w->fd = -1;
	return -1;
}

bool agent_watchdog_may_feed(int64_t lease_until_us, bool exclusive, bool reset, int64_t now_us)
{
	return !reset && (!exclusive || now_us < lease_until_us);
}

static bool may_feed(const struct agent_shared *shared, int64_t now_ms)
{
	return agent_watchdog_may_feed(atomic_load(&shared->lease_until_us),
				       atomic_load(&shared->lease_exclusive) != 0,
				       atomic_load(&shared->lease_reset) != 0, now_ms * 1000);
}

static void feed(struct agent_watchdog *w, struct agent_shared *shared, int64_t now_ms)
{
	int64_t gap_ms = now_ms - w->fed_ms;

	if (write(w->fd, "", 1) != 1) {
		atomic_store(&shared->watchdog_fed, 0);
		if (!w->failed)
			yoke_log(YOKE_LOG_ERROR, "the watchdog cannot be fed: %s", strerror(errno));
		w->failed = true;
		w->fed_ms = now_ms;
		return;
	}
	if (!w->held_back && atomic_load(&shared->watchdog_fed) != 0 &&
	    gap_ms * FEEDS >= (int64_t)w->timeout_ms * NEAR_PART)
		atomic_store(&shared->watchdog_gap_ms, (uint32_t)gap_ms);
	w->failed = false;
	w->fed_ms = now_ms;
	atomic_store(&shared->watchdog_fed, 1);
}

void agent_watchdog_tick(struct agent_watchdog *w, struct agent_shared *shared, int64_t now_ms)
{
	bool allowed = may_feed(shared, now_ms);

	if (w->fd < 0 || now_ms < agent_watchdog_deadline_ms(w))
		return;
	if (allowed)
		feed(w, shared, now_ms);
	else if (!w->held_back)
		yoke_log(YOKE_LOG_ERROR, "the watchdog is not fed any more: the lease has run out");
	w->held_back = !allowed;
	w->looked_ms = now_ms;
}

int64_t agent_watchdog_deadline_ms(const struct agent_watchdog *w)
{
	int64_t step_ms = w->timeout_ms / FEEDS;

	if (w->fd < 0)
		return INT64_MAX;
	/* Held back: it may be fed again as soon as nothing exclusive runs. */
	return w->held_back ? w->looked_ms + step_ms / FEEDS : w->fed_ms + step_ms;
}

void agent_watchdog_close(struct agent_watchdog *w, const struct agent_shared *shared)
{
	if (w->fd < 0)
		return;
	if (atomic_load(&shared->lease_exclusive) == 0 && atomic_load(&shared->lease_reset) == 0 &&
	    write(w->fd, "V", 1) != 1)
		yoke_log(YOKE_LOG_ERROR, "the watchdog cannot be closed: %s", strerror(errno));
	close(w->fd);
	w->fd = -1;
}
