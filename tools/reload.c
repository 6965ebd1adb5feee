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

#include "conf/change.h"
#include "tools/client.h"
#include "tools/tool.h"

enum { LOOK_AGAIN_MS = 20 };

static struct tool_client client;
static struct conf old, next;
static struct conf_problems problems;
static struct conf_change change;

static int complain(const char *why)
{
	fprintf(stderr, "yoke: %s\n", why);
	return TOOL_FAILED;
}

/* What yoked goes by, which it keeps beside its socket, and the name of the file that it came from.
 */
static int read_running(const char *socket_path, char file[CONF_FILE_SIZE + 4])
{
	char name[CONF_FILE_SIZE + 32], why[CONF_FILE_SIZE + 96];
	const char *slash = strrchr(socket_path, '/');
	FILE *in;

	snprintf(name, sizeof(name), "%.*s/running.conf",
		 slash == NULL ? 1 : (int)(slash - socket_path), slash == NULL ? "." : socket_path);
	in = fopen(name, "re");
	if (in == NULL) {
		snprintf(why, sizeof(why), "cannot read %s: %s%s", name, strerror(errno),
			 errno == EACCES ? ": run it as root" : "");
		return complain(why);
	}
	file[0] = '\0';
	if (fgets(file, CONF_FILE_SIZE + 4, in) == NULL || strncmp(file, "# ", 2) != 0)
		file[0] = '\0';
	fclose(in);
	if (file[0] == '\0' || conf_load(name, &old, &problems) != 0) {
		snprintf(why, sizeof(why), "%s is not of this yoke: use 'systemctl restart yoked'",
			 name);
		return complain(why);
	}
	file[strcspn(file, "\n")] = '\0';
	memmove(file, file + 2, strlen(file + 2) + 1);
	return TOOL_OK;
}

static int load(const char *file)
{
	int rc = conf_load(file, &next, &problems);

	for (unsigned i = 0; i < problems.count; i++) {
		const struct conf_problem *p = &problems.problem[i];

		if (p->line > 0)
			fprintf(stderr, "%s:%d: ", file, p->line);
		else
			fprintf(stderr, "%s: ", file);
		fprintf(stderr, "%s: %s\n", p->warning ? "warning" : "error", p->text);
	}
	return rc == 0 ? TOOL_OK : complain("nothing was changed: correct the file first");
}

/* ---- what would change ---- */

static const char *resource_group(const struct conf *conf, unsigned resource)
{
	return conf->group[conf->resource[resource].group].name;
}

static void print_ends(void)
{
	for (unsigned g = 0; g < old.group_count; g++)
		if (change.group_ends[g])
			printf("group %s: not run here any more: it is stopped, or goes to the "
			       "other node if that has it still\n",
			       old.group[g].name);
	for (unsigned r = 0; r < old.resource_count; r++)
		if (change.resource_ends[r])
			printf("resource %s of group %s: stopped where it runs, for it is gone or "
			       "another\n",
			       old.resource[r].name, resource_group(&old, r));
}

static void print_grows(void)
{
	for (unsigned g = 0; g < next.group_count; g++)
		if (change.group_grows[g])
			printf("group %s: new resources are started where it runs\n",
			       next.group[g].name);
}

/* May what ends end? */
static bool is_agreed(const struct tool_options *options)
{
	char answer[16];

	if (change.ends == 0 || options->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		complain("nothing was changed: --yes says that this may be stopped");
		return false;
	}
	fputs("go on? [y/N] ", stdout);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	complain("nothing was changed");
	return false;
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
	print_ends();
	print_grows();
	return is_agreed(options) ? TOOL_OK : TOOL_FAILED;
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
	char file[CONF_FILE_SIZE + 4];
	int result = tool_client_open(&client, options);

	(void)argc;
	(void)argv;
	if (result == TOOL_OK)
		result = status();
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	result = read_running(options->socket_path, file);
	if (result == TOOL_OK)
		result = load(file);
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
