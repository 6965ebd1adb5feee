#include "conf/conf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	HEX_SIZE = 2 * CONF_KEY_SIZE,
	DATE_SIZE = 10, /* 2026-03-31 */
	LINE_SIZE = 96, /* more than the longest line, with its end */
	TEXT_SIZE = CONF_KEYS_MAX * LINE_SIZE,
	ID_MAX = 255,
	DAY_S = 86400,
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

static bool decode_hex(const char *text, uint8_t key[CONF_KEY_SIZE])
{
	for (size_t i = 0; i < CONF_KEY_SIZE; i++) {
		int high = digit_of(text[2 * i]), low = high < 0 ? -1 : digit_of(text[2 * i + 1]);

		if (low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A day that exists. */
static bool decode_date(const char *text, int64_t *made_s)
{
	struct tm tm = {0}, again;
	char back[LINE_SIZE];
	int end = 0;
	time_t t;

	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end) != 3 ||
	    end != DATE_SIZE || text[DATE_SIZE] != '\0')
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t = timegm(&tm);
	if (t <= 0 || gmtime_r(&t, &again) == NULL ||
	    strftime(back, sizeof(back), "%Y-%m-%d", &again) != DATE_SIZE)
		return false;
	*made_s = t;
	return strcmp(back, text) == 0;
}

/* "HEX", or "ID HEX" and perhaps a date. */
static bool decode_line(const char *line, bool may_be_bare, struct conf_key *key)
{
	unsigned id = 0;
	int at = 0;

	key->made_s = 0;
	key->id = 1;
	if (may_be_bare && strlen(line) == HEX_SIZE)
		return decode_hex(line, key->bytes);
	if (line[0] < '1' || line[0] > '9' || sscanf(line, "%3u%n", &id, &at) != 1 || id > ID_MAX ||
	    line[at] != ' ')
		return false;
	key->id = (uint8_t)id;
	line += at + 1;
	if (!decode_hex(line, key->bytes))
		return false;
	line += HEX_SIZE;
	return line[0] == '\0' || (line[0] == ' ' && decode_date(line + 1, &key->made_s));
}

/* A line for each key, nothing else; the last line's end may be missing.  text is NUL-terminated
 * and changed. */
static bool decode(char *text, struct conf_keys *keys)
{
	bool is_first = true;

	keys->count = 0;
	while (*text != '\0') {
		char *end = strchr(text, '\n'), *next = end != NULL ? end + 1 : text + strlen(text);

		if (keys->count >= CONF_KEYS_MAX)
			return false;
		if (end != NULL) {
			*end = '\0';
			if (end > text && end[-1] == '\r')
				end[-1] = '\0';
		}
		/* A bare one is alone, so that no two have the same number by mistake. */
		if (!decode_line(text, is_first && *next == '\0', &keys->key[keys->count++]))
			return false;
		is_first = false;
		text = next;
	}
	return keys->count == 1 || (keys->count == 2 && keys->key[0].id != keys->key[1].id);
}

int conf_keys_read(int fd, const char *file_name, struct conf_keys *keys, char *why)
{
	char text[TEXT_SIZE + 1];
	int result = -1;
	ssize_t size;

	if (check_access(fd, file_name, why) < 0)
		return -1;
	size = read_some(fd, text, TEXT_SIZE);
	text[size < 0 ? 0 : size] = '\0';
	if (size < 0)
		snprintf(why, CONF_PROBLEM_SIZE, "cannot read %.150s: %s", file_name,
			 strerror(errno));
	else if (size == TEXT_SIZE || strlen(text) != (size_t)size || !decode(text, keys))
		snprintf(why, CONF_PROBLEM_SIZE,
			 "%.90s is not one or two lines of a number, %d hexadecimal digits and a "
			 "date: write it with 'yoke key generate', and copy it to the other node",
			 file_name, HEX_SIZE);
	else
		result = 0;
	explicit_bzero(text, sizeof(text));
	if (result < 0)
		explicit_bzero(keys, sizeof(*keys));
	return result;
}

int conf_keys_load(const char *file_name, struct conf_keys *keys, char *why)
{
	int result, fd = open(file_name, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, CONF_PROBLEM_SIZE, "%.90s: %s: make one with 'yoke key generate'",
			 file_name, strerror(errno));
		return -1;
	}
	result = conf_keys_read(fd, file_name, keys, why);
	close(fd);
	return result;
}

/* Returns the length of the key's line. */
static size_t encode_line(const struct conf_key *key, char line[LINE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t used = (size_t)snprintf(line, LINE_SIZE, "%u ", key->id);
	time_t made = (time_t)key->made_s;
	struct tm tm;

	for (size_t i = 0; i < CONF_KEY_SIZE; i++) {
		line[used++] = digits[key->bytes[i] >> 4];
		line[used++] = digits[key->bytes[i] & 15];
	}
	if (made != 0 && gmtime_r(&made, &tm) != NULL)
		used += strftime(line + used, LINE_SIZE - used, " %Y-%m-%d", &tm);
	line[used++] = '\n';
	return used;
}

/* Write the keys' lines; false: see errno. */
static bool write_keys(int fd, const struct conf_keys *keys)
{
	char text[TEXT_SIZE];
	size_t used = 0;
	bool ok;

	for (unsigned i = 0; i < keys->count; i++)
		used += encode_line(&keys->key[i], text + used);
	errno = 0;
	/* So few bytes are written whole, or the disk is full. */
	ok = write(fd, text, used) == (ssize_t)used;
	if (!ok && errno == 0)
		errno = ENOSPC;
	explicit_bzero(text, sizeof(text));
	return ok && fsync(fd) == 0;
}

int conf_keys_add(struct conf_keys *keys, char *why)
{
	struct conf_key *key = &keys->key[keys->count];
	time_t now = time(NULL);

	if (keys->count >= CONF_KEYS_MAX) {
		snprintf(why, CONF_PROBLEM_SIZE,
			 "there are %d keys already: 'yoke key retire' drops the older one",
			 CONF_KEYS_MAX);
		return -1;
	}
	if (getrandom(key->bytes, sizeof(key->bytes), 0) != (ssize_t)sizeof(key->bytes)) {
		snprintf(why, CONF_PROBLEM_SIZE, "no random numbers: %s", strerror(errno));
		return -1;
	}
	key->id = (uint8_t)(keys->count == 0 ? 1 : keys->key[keys->count - 1].id % ID_MAX + 1);
	key->made_s = now - now % DAY_S;
	keys->count++;
	return 0;
}

void conf_keys_drop(struct conf_keys *keys)
{
	assert(keys->count == CONF_KEYS_MAX);
	keys->key[0] = keys->key[1];
	explicit_bzero(&keys->key[1], sizeof(keys->key[1]));
	keys->count = 1;
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

int conf_keys_write(const char *file_name, const struct conf_keys *keys, bool replace, char *why)
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
	ok = write_keys(fd, keys);
	ok = ok &&
	     renameat2(AT_FDCWD, unnamed, AT_FDCWD, file_name, replace ? 0 : RENAME_NOREPLACE) == 0;
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
