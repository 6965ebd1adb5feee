#include "agent/base/trim.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

void yoke_trim(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8];
	uintmax_t from, to;

	if (maps == NULL)
		return;
	/* Text only: read-only data may hold what the linker wrote before it was protected. */
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%jx-%jx %7s", &from, &to, rights) == 3 &&
		    strcmp(rights, "r-xp") == 0 && strchr(line, '/') != NULL)
			madvise((void *)(uintptr_t)from, (size_t)(to - from), MADV_DONTNEED);
	fclose(maps);
}
