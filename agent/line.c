#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/engine.h"
#include "agent/role.h"

/* A reason is logged when it is another one, not each second. */
static void set_reason(struct agent_engine *e, uint16_t path, const char *reason)
{
	char *kept = e->open_reason[path - 1];

	if (strcmp(kept, reason) == 0)
		return;
	snprintf(kept, YOKE_REASON_SIZE, "%s", reason);
	if (reason[0] != '\0')
		yoke_log(YOKE_LOG_WARNING, "path %s: %s: %s", e->conf.path[path - 1],
			 e->conf.node[e->self - 1].endpoint[path - 1].device, reason);
	else
		yoke_log(YOKE_LOG_INFO, "path %s: %s is open", e->conf.path[path - 1],
			 e->conf.node[e->self - 1].endpoint[path - 1].device);
}

static void ask(struct agent_engine *e, uint16_t path)
{
	struct agent_channel_message *m = &e->message;

	if (e->is_open[path - 1])
		set_reason(e, path,
			   hb_is_post(&e->hb, path)
				   ? "it failed, or was made ready anew"
				   : "it hung up or failed: is its adapter still there?");
	e->is_open[path - 1] = false;
	m->kind = AGENT_CHANNEL_OPEN;
	m->u.open.path = path;
	/* A keeper that does not read now is asked again in a second. */
	(void)agent_channel_send(AGENT_ROLE_FD_CHANNEL, m);
}

void agent_line_look(struct agent_engine *e)
{
	yoke_time now = agent_engine_now();

	for (uint16_t p = 1; p <= e->conf.path_count; p++) {
		if (hb_wants_fd(&e->hb, p, now))
			ask(e, p);
		else if (e->is_open[p - 1] && hb_fd(&e->hb, p) >= 0)
			set_reason(e, p,
				   hb_is_stuck(&e->hb, p, now) ? "the disk does not answer" : "");
	}
}

void agent_line_opened(struct agent_engine *e, int fd, yoke_time now)
{
	uint16_t path = e->message.u.opened.path;

	if (path < 1 || path > e->conf.path_count ||
	    (!hb_is_line(&e->hb, path) && !hb_is_post(&e->hb, path))) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		set_reason(e, path, e->message.u.opened.reason);
		return;
	}
	/* The first time, too, something is to be said. */
	if (e->open_reason[path - 1][0] == '\0')
		snprintf(e->open_reason[path - 1], YOKE_REASON_SIZE, "not open yet");
	set_reason(e, path, "");
	e->is_open[path - 1] = true;
	hb_give_fd(&e->hb, path, fd, now);
}
