#include "tools/hardware.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void add(struct tool_hardware *h, const char *name)
{
	for (unsigned i = 0; i < h->count; i++)
		if (strcmp(h->name[i], name) == 0)
			return;
	if (h->count < TOOL_HARDWARE_MAX && strlen(name) < TOOL_HARDWARE_SIZE)
		snprintf(h->name[h->count++], TOOL_HARDWARE_SIZE, "%s", name);
}

/* Is it shaped so?  h: a hexadecimal digit, anything else: itself. */
static bool is_shaped(const char *text, const char *shape)
{
	for (; *shape != '\0'; shape++, text++)
		if (*shape == 'h' ? strspn(text, "0123456789abcdef") == 0 : *text != *shape)
			return false;
	return *text == '\0';
}

/* A USB device is named by its bus and the ports on the way to it: 1-4.2. */
static bool is_usb(const char *text)
{
	const char *port = strchr(text, '-');

	return port != NULL && strspn(text, "0123456789") == (size_t)(port - text) && port > text &&
	       port[1] != '\0' && strspn(port + 1, "0123456789.") == strlen(port + 1);
}

/* Cut a device's directory after the deepest part that can be pulled out by itself: a USB device or
 * a PCI card (with all its functions).  False: there is none. */
static bool cut_to_card(char *path)
{
	for (char *part = strrchr(path, '/'); part != NULL; part = strrchr(path, '/')) {
		char *function = strrchr(part, '.');

		if (is_usb(part + 1))
			return true;
		if (is_shaped(part + 1, "hhhh:hh:hh.h") && function != NULL) {
			*function = '\0';
			return true;
		}
		*part = '\0';
	}
	return false;
}

static void add_card(const char *device, struct tool_hardware *h)
{
	char path[PATH_MAX];

	if (realpath(device, path) != NULL && cut_to_card(path))
		add(h, path);
}

/* Breadth first: what is added is looked at in its turn. */
void tool_hardware_of_interface(const char *sys, const char *interface, struct tool_hardware *h)
{
	char path[PATH_MAX];

	h->count = 0;
	add(h, interface);
	for (unsigned i = 0; i < h->count; i++) {
		struct dirent *entry;
		DIR *dir;

		if (h->name[i][0] == '/')
			continue; /* a card: nothing is below it */
		snprintf(path, sizeof(path), "%s/class/net/%s", sys, h->name[i]);
		dir = opendir(path);
		while (dir != NULL && (entry = readdir(dir)) != NULL)
			if (strncmp(entry->d_name, "lower_", 6) == 0)
				add(h, entry->d_name + 6);
		if (dir != NULL)
			closedir(dir);
		snprintf(path, sizeof(path), "%s/class/net/%s/device", sys, h->name[i]);
		add_card(path, h);
	}
}

void tool_hardware_of_tty(const char *sys, dev_t tty, struct tool_hardware *h)
{
	char path[PATH_MAX];

	h->count = 0;
	snprintf(path, sizeof(path), "%s/dev/char/%u:%u/device", sys, major(tty), minor(tty));
	add_card(path, h);
}

bool tool_hardware_is_one(const char *device, const char *other)
{
	struct stat a, b;

	if (stat(device, &a) < 0 || stat(other, &b) < 0 ||
	    (a.st_mode & S_IFMT) != (b.st_mode & S_IFMT))
		return false;
	if (S_ISCHR(a.st_mode) || S_ISBLK(a.st_mode))
		return a.st_rdev == b.st_rdev;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

const char *tool_hardware_shared(const struct tool_hardware *a, const struct tool_hardware *b)
{
	for (unsigned i = 0; i < a->count; i++)
		for (unsigned j = 0; j < b->count; j++)
			if (strcmp(a->name[i], b->name[j]) == 0)
				return a->name[i];
	return NULL;
}
