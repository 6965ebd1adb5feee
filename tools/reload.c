/* yoke reload: what would another configuration change here?  Then yoked takes it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/client.h"
#include "tools/running.h"
#include "tools/tool.h"

enum { LOOK_AGAIN_MS = 20 };

static struct tool_client client;
static struct conf old, next;
static struct conf_change change;

static int complain(const char *why)
{
	fprintf(stderr, "yoke: %s\n", why);
	return TOOL_FAILED;
}

static uint32_t paths_up(void)
{
	uint32_t up = 0;

	for (unsigned i = 0; i < client.snapshot.link_count; i++)
		if (client.snapshot.link[i].state == YOKE_PATH_UP)
			up |= UINT32_C(1) << (client.snapshot.link[i].path - 1);
	return up;
}

static int judge(const struct tool_options *options)
{
	bool cuts;

	conf_change(&old, &next, client.snapshot.self - 1u, &change);
	for (unsigned i = 0; i < change.refusal_count; i++)
		complain(change.refusal[i]);
	cuts = change.refusal_count == 0 && conf_change_cuts(&change, paths_up());
	if (cuts)
		complain(conf_change_cuts_text);
	if (cuts || change.refusal_count > 0)
		return complain("nothing was changed");
	tool_running_print(&old, &next, &change);
	return change.ends == 0 || tool_running_agreed(options, "go on?", "this may be stopped")
		       ? TOOL_OK
		       : TOOL_FAILED;
}

/* ---- yoked ---- */

static int status(void)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_STATUS};

	return tool_client_ask(&client, &request);
}

/* Who listens on the socket is the keeper: the kernel says which process that is. */
static int signal_keeper(void)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(client.fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return complain(strerror(errno));
	if (cred.pid <= 1)
		return complain("yoked is in another container: run it there");
	if (kill(cred.pid, SIGHUP) == 0)
		return TOOL_OK;
	return complain(errno == EPERM ? "only root may reload: run it as root" : strerror(errno));
}

/* The engine that answers in the end is another one. */
static int wait_for(const struct tool_options *options, uint32_t before)
{
	int64_t until_ms = tool_client_now_ms() + (int64_t)options->timeout_s * 1000;

	while (tool_client_now_ms() < until_ms) {
		poll(NULL, 0, LOOK_AGAIN_MS);
		if (client.fd < 0 && tool_client_open(&client, options) != TOOL_OK)
			continue;
		if (status() != TOOL_OK || client.snapshot.config_reads == before)
			continue;
		if (client.snapshot.config_reason[0] == '\0')
			return TOOL_OK;
		complain(client.snapshot.config_reason);
		return complain("nothing was changed");
	}
	fputs("yoke: yoked has not taken it in time: look at its log\n", stderr);
	return TOOL_TIMED_OUT;
}

int tool_reload(const struct tool_options *options, int argc, char **argv)
{
	char file[TOOL_RUNNING_FILE_SIZE];
	int result = tool_client_open(&client, options);

	(void)argc;
	(void)argv;
	if (result == TOOL_OK)
		result = status();
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	result = tool_running_read(options->socket_path, &old, file);
	if (result == TOOL_OK)
		result = tool_running_load(file, &next);
	if (result == TOOL_OK)
		result = judge(options);
	if (result == TOOL_OK)
		result = signal_keeper();
	if (result == TOOL_OK)
		result = wait_for(options, client.snapshot.config_reads);
	if (result == TOOL_OK)
		printf("yoked goes on with %s%s\n", file,
		       change.any ? "" : ", which changed nothing");
	return result;
}
