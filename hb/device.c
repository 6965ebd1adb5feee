#include "hb/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Devices are in such a file system, too. */
static bool is_file_in_memory(const char *device)
{
	struct statfs fs;
	struct stat st;

	return statfs(device, &fs) == 0 && fs.f_type == TMPFS_MAGIC && stat(device, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

int hb_device_open(const char *device, int flags)
{
	int fd = open(device, flags | O_DIRECT | O_SYNC | O_CLOEXEC);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	if (is_file_in_memory(device))
		return open(device, flags | O_SYNC | O_CLOEXEC);
	errno = EOPNOTSUPP;
	return -1;
}
