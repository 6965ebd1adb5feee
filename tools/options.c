#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/limits.h"
#include "tools/tool.h"

enum { TIMEOUT_S_MAX = 3600, TIMEOUT_S = 60, COUNT = 20, OPTIONS_MAX = 16, BAUD_MAX = 921600 };

/* The engine puts the name of who asked before it. */
enum { REASON_SIZE = YOKE_REASON_SIZE - YOKE_NAME_SIZE };

static const struct {
	char letter; /* in struct tool_verb.options; also the short option where short is said */
	const char *name, *value, *help;
} all[] = {
	{'S', "socket", "PATH", "the engine's control socket (else $YOKE_SOCKET)"},
	{'j', "json", NULL, "print the engine's answer, one JSON object a line"},
	{'w', "wide", NULL, "more columns: addresses, counters"},
	{'e', "exit-code", NULL, "exit with 10 when degraded, 11 when critical"},
	{'n', "lines", "N", "how many events, 1..512 (default 20; also -n N)"},
	{'f', "follow", NULL, "go on as events come, until Ctrl-C (also -f)"},
	{'r', "reason", "TEXT", "why, for the history"},
	{'y', "by", "WHO", "who says so (else whoever called sudo, or is logged in)"},
	{'k', "ticket", "NUMBER", "where it is written down; it is put before the reason"},
	{'N', "no-wait", NULL, "do not wait for the outcome"},
	{'t', "timeout", "SECONDS", "the longest wait, 1..3600 (default 60)"},
	{'F', "force", NULL, "replace the file if it exists"},
	{'Y', "yes", NULL, "do not ask before something is stopped or replaced"},
	{'x', "fail", NULL, "what follows fails"},
	{'b', "baud", "RATE", "of the line, 9600..921600 (default 9600)"},
	{'c', "rtscts", NULL, "hardware flow control: the cable has these two wires"},
	{'h', "help", NULL, "this text"},
};

enum { ALL_COUNT = sizeof(all) / sizeof(all[0]) };

static bool takes(const struct tool_verb *verb, char letter)
{
	return letter == 'h' || strchr(verb->options, letter) != NULL;
}

void tool_options_help(const struct tool_verb *verb)
{
	char left[48];
	size_t i;

	printf("usage: yoke %s%s%s\n\n%s.\n%s\noptions:\n", verb->name,
	       verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->summary, verb->help);
	for (i = 0; i < ALL_COUNT; i++) {
		if (!takes(verb, all[i].letter))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", all[i].name,
			 all[i].value != NULL ? " " : "", all[i].value != NULL ? all[i].value : "");
		printf("  %-20s %s\n", left, all[i].help);
	}
}

static int wrong(const struct tool_verb *verb)
{
	fprintf(stderr, "usage: yoke %s%s%s   ('yoke %s --help' says more)\n", verb->name,
		verb->arguments[0] != '\0' ? " " : "", verb->arguments, verb->name);
	return TOOL_USAGE;
}

static int number(const char *name, const char *text, uint32_t most, uint32_t *value)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > most) {
		fprintf(stderr, "yoke: --%s must be a number from 1 to %u, not '%s'\n", name, most,
			text);
		return TOOL_USAGE;
	}
	*value = (uint32_t)n;
	return -1;
}

static int reason(const char *text, struct tool_options *options)
{
	if (strlen(text) >= REASON_SIZE) {
		fprintf(stderr, "yoke: the reason may have %d bytes at most: shorten it\n",
			REASON_SIZE - 1);
		return TOOL_USAGE;
	}
	options->reason = text;
	return -1;
}

/* A name of a person or a ticket: as long as other names. */
static int label(const char *option, const char *text, const char **value)
{
	if (text[0] == '\0' || strlen(text) >= YOKE_NAME_SIZE) {
		fprintf(stderr, "yoke: %s takes 1 to %d bytes\n", option, YOKE_NAME_SIZE - 1);
		return TOOL_USAGE;
	}
	*value = text;
	return -1;
}

/* Returns -1, or an exit code. */
static int take(int letter, struct tool_options *options)
{
	switch (letter) {
	case 'S':
		options->socket_path = optarg;
		return -1;
	case 'j':
		options->json = true;
		return -1;
	case 'w':
		options->wide = true;
		return -1;
	case 'e':
		options->exit_code = true;
		return -1;
	case 'n':
		return number("lines", optarg, YOKE_EVENTS_MAX, &options->count);
	case 'f':
		options->follow = true;
		return -1;
	case 'r':
		return reason(optarg, options);
	case 'y':
		return label("--by", optarg, &options->by);
	case 'k':
		return label("--ticket", optarg, &options->ticket);
	case 'N':
		options->no_wait = true;
		return -1;
	case 't':
		return number("timeout", optarg, TIMEOUT_S_MAX, &options->timeout_s);
	case 'Y':
		options->yes = true;
		return -1;
	case 'x':
		options->fail = true;
		return -1;
	case 'F':
		options->force = true;
		return -1;
	case 'b':
		return number("baud", optarg, BAUD_MAX, &options->baud);
	case 'c':
		options->rtscts = true;
		return -1;
	default:
		return TOOL_USAGE;
	}
}

static void defaults(struct tool_options *options)
{
	const char *path = getenv("YOKE_SOCKET");
	const char *no_colour = getenv("NO_COLOR");

	memset(options, 0, sizeof(*options));
	options->socket_path = path != NULL && path[0] != '\0' ? path : TOOL_SOCKET;
	options->timeout_s = TIMEOUT_S;
	options->count = COUNT;
	options->is_tty = isatty(STDOUT_FILENO) == 1;
	options->colour = options->is_tty && (no_colour == NULL || no_colour[0] == '\0');
}

/* Fill getopt's tables with what the verb takes. */
static void tables(const struct tool_verb *verb, struct option *longs, char *shorts)
{
	size_t i, used = 0;

	*shorts++ = ':'; /* a missing value is told apart, and we speak ourselves */
	for (i = 0; i < ALL_COUNT; i++) {
		if (!takes(verb, all[i].letter))
			continue;
		longs[used++] = (struct option){
			all[i].name, all[i].value != NULL ? required_argument : no_argument, NULL,
			all[i].letter};
		if (strchr("nfh", all[i].letter) == NULL)
			continue;
		*shorts++ = all[i].letter;
		if (all[i].value != NULL)
			*shorts++ = ':';
	}
	longs[used] = (struct option){NULL, 0, NULL, 0};
	*shorts = '\0';
}

int tool_options_read(const struct tool_verb *verb, int argc, char **argv,
		      struct tool_options *options, int *first)
{
	struct option longs[OPTIONS_MAX];
	char shorts[2 * OPTIONS_MAX];
	int letter, result;

	defaults(options);
	tables(verb, longs, shorts);
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == 'h') {
			tool_options_help(verb);
			return TOOL_OK;
		}
		if (letter == '?' || letter == ':') {
			fprintf(stderr, "yoke: %s '%s'\n",
				letter == ':' ? "a value is missing after" : "unknown option",
				argv[optind - 1]);
			return wrong(verb);
		}
		result = take(letter, options);
		if (result != -1)
			return result;
	}
	*first = optind;
	if (argc - optind < verb->arguments_min || argc - optind > verb->arguments_max) {
		fprintf(stderr, "yoke: too %s arguments\n",
			argc - optind < verb->arguments_min ? "few" : "many");
		return wrong(verb);
	}
	return -1;
}
