#include "conf/push.h"

void conf_push_key_file(const struct conf *conf, char file[CONF_FILE_SIZE + 16])
{
	const char *slash = strrchr(conf->key_file, '/');

	snprintf(file, CONF_FILE_SIZE + 16, "%.*s/push.key",
		 slash == NULL ? 0 : (int)(slash - conf->key_file), conf->key_file);
}
