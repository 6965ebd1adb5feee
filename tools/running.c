#include "tools/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct conf_problems problems;

static int complain(const char *why)
{
	fprintf(stderr, "yoke: %s\n", why);
	return TOOL_FAILED;
}

int tool_running_read(const char *socket_path, struct conf *running,
		      char file[TOOL_RUNNING_FILE_SIZE])
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
	if (fgets(file, TOOL_RUNNING_FILE_SIZE, in) == NULL || strncmp(file, "# ", 2) != 0)
		file[0] = '\0';
	fclose(in);
	if (file[0] == '\0' || conf_load(name, running, &problems) != 0) {
		snprintf(why, sizeof(why), "%s is not of this yoke: use 'systemctl restart yoked'",
			 name);
		return complain(why);
	}
	file[strcspn(file, "\n")] = '\0';
	memmove(file, file + 2, strlen(file + 2) + 1);
	return TOOL_OK;
}

static int say_problems(const char *file, int rc)
{
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

int tool_running_load(const char *file, struct conf *next)
{
	return say_problems(file, conf_load(file, next, &problems));
}

int tool_running_check(const char *file, const char *text, struct conf *next)
{
	return say_problems(file, conf_parse(text, file, next, &problems));
}

static const char *resource_group(const struct conf *conf, unsigned resource)
{
	return conf->group[conf->resource[resource].group].name;
}

void tool_running_print(const struct conf *old, const struct conf *next,
			const struct conf_change *change)
{
	for (unsigned g = 0; g < old->group_count; g++)
		if (change->group_ends[g])
			printf("group %s: not run here any more: it is stopped, or goes to the "
			       "other node if that has it still\n",
			       old->group[g].name);
	for (unsigned r = 0; r < old->resource_count; r++)
		if (change->resource_ends[r])
			printf("resource %s of group %s: stopped where it runs, for it is gone or "
			       "another\n",
			       old->resource[r].name, resource_group(old, r));
	for (unsigned g = 0; g < next->group_count; g++)
		if (change->group_grows[g])
			printf("group %s: new resources are started where it runs\n",
			       next->group[g].name);
}

bool tool_running_agreed(const struct tool_options *options, const char *question,
			 const char *what_yes_says)
{
	char answer[16];

	if (options->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "yoke: nothing was changed: --yes says that %s\n", what_yes_says);
		return false;
	}
	printf("%s [y/N] ", question);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	complain("nothing was changed");
	return false;
}
