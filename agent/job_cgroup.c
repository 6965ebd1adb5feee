#include "agent/job_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/base/log.h"

enum {
	NAME_SIZE = 64, /* of a cgroup, or a file in it, below the keeper's */
	WORD_SIZE = 512,
	PATH_SIZE = 2 * WORD_SIZE,
	TRIES_MAX = 1000, /* names that another life of the same process number may have left */
};

static void name_of(const struct agent_job_cgroups *groups, unsigned number, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "yoke-%d-%u", (int)groups->keeper, number);
}

/* ---- where we are ---- */

/* Our cgroup below the root of its hierarchy. */
static bool find_own(char own[WORD_SIZE])
{
	char line[WORD_SIZE + 8];
	bool found = false;
	FILE *in = fopen("/proc/self/cgroup", "re");

	while (in != NULL && !found && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, "0::/", 4) == 0 && strchr(line, '\n') != NULL) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(own, WORD_SIZE, "%.*s", WORD_SIZE - 1, line + 3);
			found = strstr(own, "/..") == NULL; /* outside of what we can see */
		}
	if (in != NULL)
		fclose(in);
	return found;
}

/* Open it below one mount of cgroup v2, which may show only a part of the hierarchy. */
static int open_below(const char *root, const char *point, const char *own)
{
	size_t skipped = strcmp(root, "/") == 0 ? 0 : strlen(root);
	char path[PATH_SIZE];
	struct statfs fs;
	int fd;

	if (strncmp(own, root, skipped) != 0 ||
	    (skipped > 0 && own[skipped] != '/' && own[skipped] != '\0'))
		return -1;
	snprintf(path, sizeof(path), "%s%s", point, own + skipped);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
			faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_own(void)
{
	char own[WORD_SIZE], root[WORD_SIZE], point[WORD_SIZE], *line = NULL;
	FILE *in = fopen("/proc/self/mountinfo", "re");
	size_t size = 0;
	int fd = -1;

	if (in != NULL && find_own(own))
		while (fd < 0 && getline(&line, &size, in) > 0)
			if (strstr(line, " - cgroup2 ") != NULL &&
			    sscanf(line, "%*s %*s %*s %511s %511s", root, point) == 2)
				fd = open_below(root, point, own);
	free(line);
	if (in != NULL)
		fclose(in);
	return fd;
}

/* ---- what others have left ---- */

/* Keepers that run look after theirs.  One that had our number is gone. */
static bool is_stale(const struct agent_job_cgroups *groups, const char *name)
{
	unsigned number;
	char end;
	int keeper;

	if (sscanf(name, "yoke-%d-%u%c", &keeper, &number, &end) != 2 || keeper <= 0)
		return false;
	return keeper == groups->keeper || (kill(keeper, 0) < 0 && errno == ESRCH);
}

static void remove_stale(const struct agent_job_cgroups *groups)
{
	int fd = openat(groups->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (is_stale(groups, entry->d_name))
			unlinkat(groups->dir_fd, entry->d_name, AT_REMOVEDIR);
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

void agent_job_cgroup_init(struct agent_job_cgroups *groups)
{
	groups->dir_fd = -1;
}

void agent_job_cgroup_open(struct agent_job_cgroups *groups)
{
	groups->keeper = getpid();
	groups->dir_fd = open_own();
	if (groups->dir_fd >= 0)
		remove_stale(groups);
	else
		yoke_log(YOKE_LOG_INFO, "no cgroup v2 can be written here: a job that is late is "
					"killed by its process group only");
}

/* ---- one job's ---- */

/* Returns false when it is not empty. */
static bool remove_one(const struct agent_job_cgroups *groups, unsigned number)
{
	char name[NAME_SIZE];

	name_of(groups, number, name);
	return unlinkat(groups->dir_fd, name, AT_REMOVEDIR) == 0 || errno != EBUSY;
}

static void remove_left(struct agent_job_cgroups *groups)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < groups->left_count; i++)
		if (!remove_one(groups, groups->left[i]))
			groups->left[kept++] = groups->left[i];
	groups->left_count = kept;
}

void agent_job_cgroup_close(struct agent_job_cgroups *groups)
{
	if (groups->dir_fd < 0)
		return;
	remove_left(groups);
	close(groups->dir_fd);
	groups->dir_fd = -1;
}

unsigned agent_job_cgroup_make(struct agent_job_cgroups *groups)
{
	char name[NAME_SIZE];

	if (groups->dir_fd < 0)
		return 0;
	remove_left(groups);
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		name_of(groups, ++groups->last, name);
		if (mkdirat(groups->dir_fd, name, 0755) == 0) {
			groups->is_told = false;
			return groups->last;
		}
		if (errno != EEXIST)
			break;
	}
	if (!groups->is_told)
		yoke_log(YOKE_LOG_INFO, "no cgroup can be made for a job: %s", strerror(errno));
	groups->is_told = true;
	return 0;
}

/* Returns false when it is not there. */
static bool write_file(const struct agent_job_cgroups *groups, unsigned number, const char *file,
		       const char *text)
{
	char name[NAME_SIZE], path[2 * NAME_SIZE];
	bool written;
	int fd;

	if (groups->dir_fd < 0 || number == 0)
		return false;
	name_of(groups, number, name);
	snprintf(path, sizeof(path), "%s/%s", name, file);
	fd = openat(groups->dir_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) > 0;
	close(fd);
	return written;
}

void agent_job_cgroup_enter(const struct agent_job_cgroups *groups, unsigned number)
{
	(void)write_file(groups, number, "cgroup.procs", "0");
}

void agent_job_cgroup_kill(const struct agent_job_cgroups *groups, unsigned number)
{
	(void)write_file(groups, number, "cgroup.kill", "1");
}

void agent_job_cgroup_end(struct agent_job_cgroups *groups, unsigned number)
{
	if (groups->dir_fd < 0 || number == 0 || remove_one(groups, number))
		return;
	if (groups->left_count == AGENT_JOB_CGROUPS_LEFT_MAX) {
		groups->left_count--; /* the oldest one is left to the next keeper */
		memmove(groups->left, groups->left + 1,
			groups->left_count * sizeof(groups->left[0]));
	}
	groups->left[groups->left_count++] = number;
}
