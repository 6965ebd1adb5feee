#include "agent/role.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"

int agent_role_read_conf(int fd, struct conf *conf)
{
	struct conf_problems *problems = calloc(1, sizeof(*problems));
	char *text = NULL;
	struct stat st;
	int rc = -1;

	if (problems != NULL && fstat(fd, &st) == 0 && st.st_size < CONF_TEXT_MAX &&
	    (text = calloc(1, (size_t)st.st_size + 1)) != NULL &&
	    pread(fd, text, (size_t)st.st_size, 0) == (ssize_t)st.st_size)
		rc = conf_parse(text, "the running configuration", conf, problems);
	for (unsigned i = 0; rc < 0 && problems != NULL && i < problems->count; i++)
		if (!problems->problem[i].warning)
			yoke_log(YOKE_LOG_ERROR, "the running configuration: %s",
				 problems->problem[i].text);
	free(text);
	free(problems);
	return rc;
}
