#include "agent/serial.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/privilege.h"
#include "agent/role.h"
#include "hb/tty.h"

static int answer(const struct hb_tty *tty, const struct agent_channel_message *ask)
{
	struct agent_channel_message m = {.kind = AGENT_CHANNEL_OPENED};
	int fd, result;

	m.u.opened.path = ask->u.open.path;
	fd = hb_tty_open(tty, m.u.opened.reason);
	result = agent_channel_send_fd(AGENT_ROLE_FD_CHANNEL, &m, fd);
	if (fd >= 0)
		close(fd);
	return result;
}

int agent_serial_run(const char *device, uint32_t baud, bool rtscts, pid_t keeper)
{
	static struct agent_channel_message m;
	const struct hb_tty tty = {.device = device, .baud = baud, .rtscts = rtscts};

	prctl(PR_SET_DUMPABLE, 0);
	if (agent_privilege_bind(keeper) < 0)
		return 1;
	for (;;) {
		int got = agent_channel_wait(AGENT_ROLE_FD_CHANNEL, &m, -1);

		if (got < 0)
			return 0;
		if (got > 0 && m.kind == AGENT_CHANNEL_OPEN && answer(&tty, &m) < 0)
			return 1; /* it may be open for nobody: the next one begins anew */
	}
}
