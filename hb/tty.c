#include "hb/tty.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "agent/base/baud.h"

enum { CONSOLE_MAJOR = 5, CONSOLE_MINOR = 1, LINK_SIZE = 64, LINE_SIZE = 512 };

static speed_t speed_of(uint32_t baud)
{
	switch (baud) {
#define SPEED(rate)                                                                                \
	case rate:                                                                                 \
		return B##rate;
		YOKE_BAUDS(SPEED)
	}
	return B0;
}

/* A line of /proc/consoles ends in the console's device number, "4:64". */
static bool is_in_consoles(dev_t device)
{
	FILE *in = fopen("/proc/consoles", "re");
	char line[LINE_SIZE];
	bool found = false;

	while (in != NULL && !found && fgets(line, sizeof(line), in) != NULL) {
		const char *last = strrchr(line, ' ');
		char *colon = NULL;
		unsigned long major_number = last != NULL ? strtoul(last, &colon, 10) : 0;

		if (colon != NULL && *colon == ':')
			found = major_number == major(device) &&
				strtoul(colon + 1, NULL, 10) == minor(device);
	}
	if (in != NULL)
		fclose(in);
	return found;
}

bool hb_tty_is_console(dev_t device, char *why)
{
	bool is_itself = major(device) == CONSOLE_MAJOR && minor(device) == CONSOLE_MINOR;

	if (!is_itself && !is_in_consoles(device))
		return false;
	snprintf(why, YOKE_REASON_SIZE,
		 "the kernel's console is on it: remove console= of it from the kernel's command "
		 "line");
	return true;
}

/* The device number of a process's controlling terminal, from /proc/PID/stat; 0: none. */
static dev_t terminal_of(const char *pid)
{
	char file[LINK_SIZE], line[LINE_SIZE] = "";
	const char *at;
	unsigned long number;
	FILE *in;

	snprintf(file, sizeof(file), "/proc/%.20s/stat", pid);
	in = fopen(file, "re");
	if (in == NULL || fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	if (in != NULL)
		fclose(in);
	at = strrchr(line, ')'); /* the name may hold anything; then state, ppid, pgrp, session */
	for (int i = 0; at != NULL && i < 5; i++)
		at = strchr(at + 1, ' ');
	number = at != NULL ? strtoul(at, NULL, 10) : 0;
	return number == 0
		       ? 0
		       : makedev(number >> 8 & 0xfff, (number & 0xff) | (number >> 12 & 0xfff00));
}

/* By its descriptors below /dev: others may hang in a file system that does not answer. */
static bool has_open(const char *pid, dev_t device)
{
	char folder[LINK_SIZE], file[2 * LINK_SIZE], target[LINK_SIZE];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
	dir = opendir(folder);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		struct stat st;
		ssize_t size;

		snprintf(file, sizeof(file), "%s/%.20s", folder, entry->d_name);
		size = readlink(file, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = '\0';
		found = strncmp(target, "/dev/", 5) == 0 && stat(file, &st) == 0 &&
			S_ISCHR(st.st_mode) && st.st_rdev == device;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static void name_of(const char *pid, char name[LINK_SIZE])
{
	char file[LINK_SIZE];
	FILE *in;

	snprintf(name, LINK_SIZE, "a process");
	snprintf(file, sizeof(file), "/proc/%.20s/comm", pid);
	in = fopen(file, "re");
	if (in == NULL)
		return;
	if (fgets(name, LINK_SIZE, in) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(in);
}

bool hb_tty_is_used(dev_t device, char *why)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		const char *pid = entry->d_name;
		char name[LINK_SIZE];

		if (!isdigit((unsigned char)pid[0]) || strtol(pid, NULL, 10) == getpid() ||
		    (terminal_of(pid) != device && !has_open(pid, device)))
			continue;
		found = true;
		name_of(pid, name);
		snprintf(why, YOKE_REASON_SIZE, "%.24s (process %.10s) uses it%s", name, pid,
			 strstr(name, "getty") != NULL || strstr(name, "login") != NULL
				 ? ": disable the login on it"
				 : "");
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static int refuse(int fd, char *why, const char *text)
{
	if (text != NULL)
		snprintf(why, YOKE_REASON_SIZE, "%s", text);
	close(fd);
	return -1;
}

/* A close waits 30 s for what is still to be sent, by default: who closes it must not wait. */
static void forget_at_close(int fd)
{
	struct serial_struct settings;

	if (ioctl(fd, TIOCGSERIAL, &settings) < 0)
		return; /* no UART: nothing waits there */
	settings.closing_wait = ASYNC_CLOSING_WAIT_NONE;
	(void)ioctl(fd, TIOCSSERIAL, &settings);
}

static bool make_raw(int fd, const struct hb_tty *tty)
{
	speed_t speed = speed_of(tty->baud);
	struct termios t;

	if (tcgetattr(fd, &t) != 0)
		return false;
	cfmakeraw(&t);
	t.c_cflag &= (tcflag_t) ~(CSTOPB | CRTSCTS | HUPCL);
	t.c_cflag |= CLOCAL | CREAD | (tty->rtscts ? CRTSCTS : 0);
	t.c_iflag |= IGNBRK | IGNPAR; /* a cable that is being plugged sends both */
	t.c_cc[VMIN] = 1;             /* else a hung up tty looks as one that has nothing to read */
	t.c_cc[VTIME] = 0;
	return cfsetispeed(&t, speed) == 0 && cfsetospeed(&t, speed) == 0 &&
	       tcsetattr(fd, TCSANOW, &t) == 0 && tcgetattr(fd, &t) == 0 &&
	       /* tcsetattr() is content when it could do a part of it */
	       cfgetospeed(&t) == speed && ((t.c_cflag & CRTSCTS) != 0) == tty->rtscts;
}

int hb_tty_open(const struct hb_tty *tty, char *why)
{
	struct stat st;
	int fd;

	/* First, because to open a console or a modem's line is not without effect. */
	if (stat(tty->device, &st) == 0) {
		if (!S_ISCHR(st.st_mode)) {
			snprintf(why, YOKE_REASON_SIZE, "it is no terminal");
			return -1;
		}
		if (hb_tty_is_console(st.st_rdev, why) || hb_tty_is_used(st.st_rdev, why))
			return -1;
	}
	fd = open(tty->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, YOKE_REASON_SIZE, "it cannot be opened: %.60s", strerror(errno));
		return -1;
	}
	if (!isatty(fd))
		return refuse(fd, why, "it is no terminal");
	if (ioctl(fd, TIOCEXCL) < 0)
		return refuse(fd, why, strerror(errno));
	if (!make_raw(fd, tty))
		return refuse(fd, why, "it does not take this rate, or this flow control");
	forget_at_close(fd);
	tcflush(fd, TCIOFLUSH);
	return fd;
}
