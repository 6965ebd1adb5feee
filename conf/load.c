#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read the whole file into bytes[CONF_TEXT_MAX + 1].  Returns its length; -1: problem added. */
static ssize_t read_all(int fd, const char *file_name, char *bytes, struct conf_problems *problems)
{
	size_t used = 0;

	while (used <= CONF_TEXT_MAX) {
		ssize_t got = read(fd, bytes + used, CONF_TEXT_MAX + 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			conf_problem(problems, 0, false, "cannot read %.150s: %s", file_name,
				     strerror(errno));
			return -1;
		}
		if (got == 0)
			return (ssize_t)used;
		used += (size_t)got;
	}
	conf_problem(problems, 0, false, "the file is longer than %d bytes: is it the right file?",
		     CONF_TEXT_MAX);
	return -1;
}

/* The line of the byte at `end`. */
static int line_of(const char *text, const char *end)
{
	int line = 1;

	for (; text < end; text++)
		line += *text == '\n';
	return line;
}

/* The file's text, to be freed by the caller; NULL: problem added. */
static char *text_of(int fd, const char *file_name, struct conf_problems *problems)
{
	struct stat status;
	char *text, *nul;
	ssize_t size;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		conf_problem(problems, 0, false, "%.150s is not a regular file", file_name);
		return NULL;
	}
	text = malloc(CONF_TEXT_MAX + 2);
	if (text == NULL) {
		conf_problem(problems, 0, false, "out of memory");
		return NULL;
	}
	size = read_all(fd, file_name, text, problems);
	if (size < 0)
		goto refuse;
	nul = memchr(text, '\0', (size_t)size);
	if (nul != NULL) {
		conf_problem(problems, line_of(text, nul), false,
			     "a NUL byte: this is not a text file");
		goto refuse;
	}
	text[size] = '\0';
	return text;
refuse:
	free(text);
	return NULL;
}

int conf_load(const char *file_name, struct conf *conf, struct conf_problems *problems)
{
	/* Without O_NONBLOCK the name of a FIFO would hang us before fstat() could refuse it. */
	int fd = open(file_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text;
	int result;

	*problems = (struct conf_problems){0};
	if (fd < 0) {
		conf_problem(problems, 0, false, "cannot open %.150s: %s", file_name,
			     strerror(errno));
		return -1;
	}
	text = text_of(fd, file_name, problems);
	close(fd);
	if (text == NULL)
		return -1;
	result = conf_parse(text, file_name, conf, problems);
	free(text);
	return result;
}
