#include "conf/conf.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

int conf_self(const struct conf *conf, const char *name, char *why)
{
	char host[HOST_NAME_MAX + 1] = "";

	if (name == NULL) {
		if (gethostname(host, sizeof(host) - 1) < 0) {
			snprintf(why, YOKE_REASON_SIZE, "no host name (%s): give --node NAME",
				 strerror(errno));
			return -1;
		}
		host[strcspn(host, ".")] = '\0';
		name = host;
	}
	for (unsigned i = 0; i < conf->node_count; i++) {
		if (strcmp(conf->node[i].name, name) == 0)
			return (int)i;
	}
	snprintf(why, YOKE_REASON_SIZE,
		 "no node \"%.31s\" is configured: give --node, or add the node", name);
	return -1;
}
