/* tests/lab/address_driver.c - agent/address.c on a leash: does what its standard input says.
 *
 *   address_driver REFRESH_MS ADDRESS/PREFIX@INTERFACE...
 *
 * Commands, one a line; I is the index of an address on the command line:
 *   start I | start-quiet I | stop I | probe I | prepare I ID TIMEOUT_MS | cancel ID | announce I |
 *   start-all | stop-all | pause MS (a stall: nothing is polled meanwhile, and
 *   the clock is looked at first afterwards)
 * Answers "ok AT_US TOOK_US" (probe: "ok AT_US TOOK_US yes|no") or "no WHY"; AT_US is the monotonic
 * clock when the command began.  What happens by itself is "note AT_US TYPE I ID HWADDR REASON".
 * The end of the input ends it; addresses stay.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "agent/address.h"
#include "agent/base/log.h"

static struct agent_address_set set;
static struct agent_address_notes notes;
static unsigned count;

static yoke_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (yoke_time){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

static void print_notes(void)
{
	static const char *const names[] = {
		[AGENT_ADDRESS_DONE] = "done",     [AGENT_ADDRESS_ANSWERED] = "answered",
		[AGENT_ADDRESS_USABLE] = "usable", [AGENT_ADDRESS_UNUSABLE] = "unusable",
		[AGENT_ADDRESS_LOST] = "lost",     [AGENT_ADDRESS_DOUBT] = "doubt",
	};

	for (unsigned n = 0; n < notes.count; n++) {
		const struct agent_address_note *note = &notes.note[n];
		const uint8_t *h = note->hwaddr;

		printf("note %lld %s %u %u %02x:%02x:%02x:%02x:%02x:%02x %s\n", (long long)now().us,
		       names[note->type], note->resource - 1u, note->id, h[0], h[1], h[2], h[3],
		       h[4], h[5], note->reason);
	}
	notes.count = 0;
}

static int parse(const char *text, struct agent_address_conf *conf)
{
	char address[INET6_ADDRSTRLEN + 1];
	unsigned prefix_len;

	if (sscanf(text, "%46[^/]/%u@%31s", address, &prefix_len, conf->interface) != 3)
		return -1;
	conf->prefix_len = (uint8_t)prefix_len;
	conf->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	return inet_pton(conf->family, address, conf->address) == 1 ? 0 : -1;
}

static int all(bool start, char *why)
{
	int result = 0;

	for (unsigned i = 0; i < count && result == 0; i++)
		result = start ? agent_address_start(&set, i, true, now(), why)
			       : agent_address_stop(&set, i, why);
	return result;
}

/* Returns what the function called returned; *yes is probe's answer. */
static int obey(const char *verb, unsigned i, unsigned id, unsigned timeout_ms, bool *yes,
		char *why)
{
	if (strcmp(verb, "start") == 0)
		return agent_address_start(&set, i, true, now(), why);
	if (strcmp(verb, "start-quiet") == 0)
		return agent_address_start(&set, i, false, now(), why);
	if (strcmp(verb, "stop") == 0)
		return agent_address_stop(&set, i, why);
	if (strcmp(verb, "start-all") == 0 || strcmp(verb, "stop-all") == 0)
		return all(strcmp(verb, "start-all") == 0, why);
	if (strcmp(verb, "prepare") == 0)
		return agent_address_prepare(&set, i, id, timeout_ms, now(), why);
	if (strcmp(verb, "probe") == 0)
		*yes = agent_address_probe(&set, i);
	else if (strcmp(verb, "announce") == 0)
		agent_address_announce(&set, i, now());
	else if (strcmp(verb, "cancel") == 0)
		agent_address_cancel(&set, i);
	else if (strcmp(verb, "pause") == 0) {
		poll(NULL, 0, (int)i);
		agent_address_tick(&set, now(), &notes);
	} else {
		snprintf(why, YOKE_REASON_SIZE, "unknown command '%s'", verb);
		return -1;
	}
	return 0;
}

static void do_line(const char *line)
{
	char verb[32] = "", why[YOKE_REASON_SIZE] = "";
	unsigned i = 0, id = 0, timeout_ms = 0;
	bool yes = false;

	if (sscanf(line, "%31s %u %u %u", verb, &i, &id, &timeout_ms) < 1)
		return;
	if (i >= count && strcmp(verb, "cancel") != 0 && strcmp(verb, "pause") != 0) {
		printf("no such address\n");
		return;
	}
	yoke_time began = now();
	int result = obey(verb, i, id, timeout_ms, &yes, why);
	long long took_us = yoke_time_span_us(began, now());
	if (result < 0)
		printf("no %s\n", why);
	else
		printf("ok %lld %lld%s\n", (long long)began.us, took_us,
		       strcmp(verb, "probe") != 0 ? ""
		       : yes                      ? " yes"
						  : " no");
}

/* Read what is there and do the complete lines.  Returns false at the end of the input. */
static bool read_commands(void)
{
	static char text[4096];
	static size_t used;
	ssize_t got = read(STDIN_FILENO, text + used, sizeof(text) - used - 1);

	if (got <= 0)
		return false;
	used += (size_t)got;
	text[used] = '\0';
	char *begin = text, *end;
	while ((end = strchr(begin, '\n')) != NULL) {
		*end = '\0';
		do_line(begin);
		begin = end + 1;
	}
	used -= (size_t)(begin - text);
	memmove(text, begin, used);
	return true;
}

static int wait_ms(void)
{
	yoke_time deadline = agent_address_deadline(&set);

	if (yoke_time_is_never(deadline))
		return -1;
	int64_t left_us = yoke_time_span_us(now(), deadline);
	return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static void serve(void)
{
	int fds[AGENT_ADDRESS_FDS];
	struct pollfd polled[AGENT_ADDRESS_FDS + 1];

	agent_address_fds(&set, fds);
	for (unsigned n = 0; n < AGENT_ADDRESS_FDS; n++)
		polled[n] = (struct pollfd){.fd = fds[n], .events = POLLIN};
	polled[AGENT_ADDRESS_FDS] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (;;) {
		if (poll(polled, AGENT_ADDRESS_FDS + 1, wait_ms()) < 0 && errno != EINTR)
			return;
		for (unsigned n = 0; n < AGENT_ADDRESS_FDS; n++) {
			if (polled[n].revents)
				agent_address_read(&set, fds[n], now(), &notes);
			print_notes();
		}
		if (yoke_time_due(agent_address_deadline(&set), now()))
			agent_address_tick(&set, now(), &notes);
		print_notes();
		if (polled[AGENT_ADDRESS_FDS].revents && !read_commands())
			return;
	}
}

int main(int argc, char **argv)
{
	static struct agent_address_conf confs[YOKE_RESOURCES_MAX];
	char why[YOKE_REASON_SIZE] = "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	yoke_log_open("address_driver", YOKE_LOG_STDERR, YOKE_LOG_DEBUG);
	for (int n = 2; n < argc && count < YOKE_RESOURCES_MAX; n++, count++) {
		confs[count].resource = (uint16_t)(count + 1);
		if (parse(argv[n], &confs[count]) < 0) {
			fprintf(stderr, "'%s' is not ADDRESS/PREFIX@INTERFACE\n", argv[n]);
			return 2;
		}
	}
	uint32_t refresh_ms = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	if (agent_address_init(&set, confs, count, refresh_ms, now(), &notes, why) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	print_notes();
	printf("ready\n");
	serve();
	agent_address_fini(&set);
	return 0;
}
