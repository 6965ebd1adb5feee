#include "hb/device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int hb_device_open(const char *device, int flags)
{
	struct stat st;
	int fd = open(device, flags | O_DIRECT | O_SYNC | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL && stat(device, &st) == 0 && S_ISREG(st.st_mode))
		fd = open(device, flags | O_SYNC | O_CLOEXEC);
	return fd;
}
