#include <stdio.h>
#include <unistd.h>

#include "agent/keeper.h"

void agent_keeper_line_init(struct agent_keeper *k)
{
	for (unsigned i = 0; i < YOKE_PATHS_MAX; i++) {
		const struct conf_endpoint *e = &k->conf.node[k->self].endpoint[i];
		bool is_disk = e->configured && e->type == YOKE_PATH_TYPE_DISK;
		bool is_line = e->configured && e->type == YOKE_PATH_TYPE_SERIAL;

		k->line[i].fd = -1;
		k->line[i].child.name = is_disk ? "post" : "serial";
		k->line[i].child.start_at_ms = is_disk || is_line ? 0 : INT64_MAX;
	}
}

/* A process that is still at the request before does not answer: that is said at once. */
void agent_keeper_line_ask(struct agent_keeper *k, const struct agent_channel_message *m)
{
	struct agent_channel_message no = {.kind = AGENT_CHANNEL_OPENED};
	uint16_t path = m->u.open.path;
	struct agent_keeper_helper *l;

	if (path < 1 || path > k->conf.path_count)
		return;
	l = &k->line[path - 1];
	if (l->fd >= 0 && l->asked == 0 && agent_channel_send(l->fd, m) == 0) {
		l->asked = path;
		l->engine = k->jobs.engine;
		return;
	}
	no.u.opened.path = path;
	snprintf(no.u.opened.reason, sizeof(no.u.opened.reason), "%s does not answer",
		 conf_path_type(&k->conf, path - 1u) == YOKE_PATH_TYPE_DISK ? "the disk"
									    : "its driver");
	agent_channel_send(k->engine_fd, &no);
}

void agent_keeper_line_answer(struct agent_keeper *k, unsigned path)
{
	static struct agent_channel_message m;
	struct agent_keeper_helper *l = &k->line[path];
	int got, passed;

	while ((got = agent_channel_receive_fd(l->fd, &m, &passed)) > 0) {
		m.u.opened.path = (uint16_t)(path + 1);
		/* Of an engine that is gone its successor asks again. */
		if (m.kind == AGENT_CHANNEL_OPENED && l->engine == k->jobs.engine &&
		    k->engine_fd >= 0)
			agent_channel_send_fd(k->engine_fd, &m, passed);
		if (passed >= 0)
			close(passed);
		l->asked = 0;
	}
	if (got < 0) {
		close(l->fd); /* its end is reaped */
		l->fd = -1;
	}
}
