#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	HEX_SIZE = 2 * CONF_KEY_SIZE,
	ENDING_MAX = 2, /* "\n" or "\r\n" */
};

/* 0..15; -1: not a hexadecimal digit. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Only root, or whoever runs us, may know the key. */
static int check_access(int fd, const char *file_name, char *why)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		snprintf(why, CONF_PROBLEM_SIZE, "%.150s: %s", file_name, strerror(errno));
		return -1;
	}
	if (!S_ISREG(status.st_mode)) {
		snprintf(why, CONF_PROBLEM_SIZE, "%.150s is not a regular file", file_name);
		return -1;
	}
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		snprintf(why, CONF_PROBLEM_SIZE, "%.90s belongs to user %u: chown root:root %.90s",
			 file_name, status.st_uid, file_name);
		return -1;
	}
	if ((status.st_mode & 077) != 0) {
		snprintf(why, CONF_PROBLEM_SIZE,
			 "%.80s (mode %04o) is open to others: chmod 600 %.80s, and make a new key "
			 "if others may have read it",
			 file_name, status.st_mode & 07777, file_name);
		return -1;
	}
	return 0;
}

/* Read at most `size` bytes.  Returns how many; -1: error, see errno. */
static ssize_t read_some(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, bytes + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/* One line of hexadecimal digits, nothing else. */
static bool decode(const char *text, size_t size, uint8_t key[CONF_KEY_SIZE])
{
	if (size > HEX_SIZE && text[size - 1] == '\n')
		size--;
	if (size > HEX_SIZE && text[size - 1] == '\r')
		size--;
	if (size != HEX_SIZE)
		return false;
	for (size_t i = 0; i < CONF_KEY_SIZE; i++) {
		int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int conf_key_read(int fd, const char *file_name, uint8_t key[CONF_KEY_SIZE], char *why)
{
	char text[HEX_SIZE + ENDING_MAX + 1];
	int result = -1;
	ssize_t size;

	if (check_access(fd, file_name, why) < 0)
		return -1;
	size = read_some(fd, text, sizeof(text));
	if (size < 0)
		snprintf(why, CONF_PROBLEM_SIZE, "cannot read %.150s: %s", file_name,
			 strerror(errno));
	else if (!decode(text, (size_t)size, key))
		snprintf(why, CONF_PROBLEM_SIZE,
			 "%.90s is not one line of %d hexadecimal digits: write it with "
			 "'yoke key generate', and copy it to the other node",
			 file_name, HEX_SIZE);
	else
		result = 0;
	explicit_bzero(text, sizeof(text));
	if (result < 0)
		explicit_bzero(key, CONF_KEY_SIZE);
	return result;
}

/* Write a new key's line; false: see errno. */
static bool write_key(int fd)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t key[CONF_KEY_SIZE];
	char text[HEX_SIZE + 1];
	bool ok = getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key);

	for (size_t i = 0; ok && i < CONF_KEY_SIZE; i++) {
		text[2 * i] = digits[key[i] >> 4];
		text[2 * i + 1] = digits[key[i] & 15];
	}
	text[HEX_SIZE] = '\n';
	/* So few bytes are written whole, or the disk is full. */
	if (ok && write(fd, text, sizeof(text)) != (ssize_t)sizeof(text)) {
		if (errno == 0)
			errno = ENOSPC;
		ok = false;
	}
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	return ok && fsync(fd) == 0;
}

/* Make the new name durable: a key that vanishes at a power cut parts the nodes. */
static void sync_directory(const char *file_name)
{
	char directory[PATH_MAX];
	char *slash;
	int fd;

	snprintf(directory, sizeof(directory), "%s", file_name);
	slash = strrchr(directory, '/');
	if (slash != NULL)
		slash[1] = '\0';
	fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

int conf_key_generate(const char *file_name, bool force, char *why)
{
	char unnamed[PATH_MAX];
	bool ok;
	int fd, error;

	if (snprintf(unnamed, sizeof(unnamed), "%s.XXXXXX", file_name) >= (int)sizeof(unnamed)) {
		snprintf(why, CONF_PROBLEM_SIZE, "the key file's name is too long");
		return -1;
	}
	fd = mkostemp(unnamed, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		snprintf(why, CONF_PROBLEM_SIZE,
			 "cannot create %.150s: %s (does its directory exist?)", file_name,
			 strerror(errno));
		return -1;
	}
	errno = 0;
	ok = write_key(fd);
	ok = ok &&
	     renameat2(AT_FDCWD, unnamed, AT_FDCWD, file_name, force ? 0 : RENAME_NOREPLACE) == 0;
	error = errno;
	close(fd);
	if (ok) {
		sync_directory(file_name);
		return 0;
	}
	unlink(unnamed);
	if (error == EEXIST)
		snprintf(why, CONF_PROBLEM_SIZE,
			 "%.120s exists: a new key parts this node from the others until they have "
			 "it too; say --force if you mean it",
			 file_name);
	else
		snprintf(why, CONF_PROBLEM_SIZE, "cannot write %.150s: %s", file_name,
			 strerror(error));
	return -1;
}
