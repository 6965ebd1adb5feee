#include "hb/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>

static bool is_in_memory(const char *device)
{
	struct statfs fs;

	return statfs(device, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

int hb_device_open(const char *device, int flags)
{
	int fd = open(device, flags | O_DIRECT | O_SYNC | O_CLOEXEC);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	if (is_in_memory(device))
		return open(device, flags | O_SYNC | O_CLOEXEC);
	errno = EOPNOTSUPP;
	return -1;
}
