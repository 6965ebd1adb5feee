/* yoke serial-test: does the cable work? */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/serial.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/baud.h"
#include "hb/tty.h"
#include "tools/cable.h"
#include "tools/tool.h"

enum {
	DEFAULT_BAUD = 9600,
	TEST_US = 10000000,  /* from the first frame that was heard */
	SILENT_US = 2000000, /* at the end of it: the cable was pulled */
	READ_SIZE = 512,
	LONGEST_WAIT_MS = 100,
};

struct line {
	const char *device;
	uint32_t baud;
	int fd;
	struct tool_cable cable;
	uint8_t out[TOOL_CABLE_LINE_SIZE];
	size_t out_at, out_size;
	yoke_time send_at; /* the last frame is on the line by then */
	bool hung_up;
};

static yoke_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (yoke_time){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

static bool is_rate(uint32_t baud)
{
	switch (baud) {
#define CASE(rate) case rate:
		YOKE_BAUDS(CASE)
		return true;
	}
	return false;
}

static bool is_passing(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* One frame at a time, as fast as the line goes: what waits in the driver would make the round trip
 * longer than it is. */
static void send_some(struct line *l)
{
	ssize_t put;
	int queued = 0;

	if (l->out_at == l->out_size) {
		if (!yoke_time_due(l->send_at, now()) || ioctl(l->fd, TIOCOUTQ, &queued) < 0 ||
		    queued > 0)
			return;
		l->out_at = 0;
		l->out_size = tool_cable_put(&l->cable, now(), l->out);
		l->send_at = yoke_time_add_us(now(), (int64_t)l->out_size * YOKE_SERIAL_BITS *
							     1000000 / l->baud);
	}
	put = write(l->fd, l->out + l->out_at, l->out_size - l->out_at);
	if (put > 0)
		l->out_at += (size_t)put;
	else if (put < 0 && !is_passing())
		l->hung_up = true;
}

static void read_some(struct line *l)
{
	uint8_t bytes[READ_SIZE];
	ssize_t got;

	while ((got = read(l->fd, bytes, sizeof(bytes))) > 0)
		tool_cable_take(&l->cable, bytes, (size_t)got, now());
	if (got == 0 || !is_passing())
		l->hung_up = true;
}

static int wait_ms(const struct line *l)
{
	int64_t left_us = yoke_time_span_us(now(), l->send_at);

	if (l->out_at < l->out_size || left_us <= 0)
		return 1;
	return left_us / 1000 + 1 < LONGEST_WAIT_MS ? (int)(left_us / 1000) + 1 : LONGEST_WAIT_MS;
}

/* Until both ends were heard for long enough; or nobody was, in time. */
static void run(struct line *l, uint32_t timeout_s)
{
	yoke_time end = yoke_time_add_us(now(), (int64_t)timeout_s * 1000000);
	bool heard = false;

	while (!l->hung_up && !l->cable.is_loop && !yoke_time_due(end, now())) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};

		send_some(l);
		(void)poll(&p, 1, wait_ms(l));
		if (p.revents != 0)
			read_some(l);
		if (!heard && l->cable.other != 0) {
			heard = true;
			end = yoke_time_add_us(now(), TEST_US);
			printf("the other node is heard: testing for %d s\n", TEST_US / 1000000);
			fflush(stdout);
		}
	}
}

static void print_wires(int fd)
{
	int bits;

	if (ioctl(fd, TIOCMGET, &bits) == 0)
		printf("wires: CTS %s, DSR %s, DCD %s\n", (bits & TIOCM_CTS) != 0 ? "on" : "off",
		       (bits & TIOCM_DSR) != 0 ? "on" : "off",
		       (bits & TIOCM_CAR) != 0 ? "on" : "off");
}

/* What the UART itself saw; a pty or a poor driver sees nothing. */
static void print_errors(int fd, const struct serial_icounter_struct *before)
{
	struct serial_icounter_struct after;

	if (ioctl(fd, TIOCGICOUNT, &after) == 0)
		printf("the port saw: %d framing errors, %d overruns, %d breaks\n",
		       after.frame - before->frame,
		       after.overrun - before->overrun + after.buf_overrun - before->buf_overrun,
		       after.brk - before->brk);
}

static bool is_clean(const struct tool_cable_received *r)
{
	return r->whole == r->expected && r->damaged == 0 && r->missing == 0;
}

static void print_direction(const char *name, const struct tool_cable_received *r)
{
	printf("%s %" PRIu32 " of %" PRIu32 " frames came whole, %" PRIu32
	       " damaged, %d bytes %s\n",
	       name, r->whole, r->expected, r->damaged, r->missing < 0 ? -r->missing : r->missing,
	       r->missing < 0 ? "too many" : "lost");
}

static void print_trips(const struct tool_cable *c)
{
	if (c->trips > 0)
		printf("round trip: %.1f ms (%.1f..%.1f)\n",
		       (double)c->trip_us_sum / c->trips / 1000, (double)c->trip_us_min / 1000,
		       (double)c->trip_us_max / 1000);
}

/* Nothing whole came from the other node. */
static int say_unheard(const struct line *l)
{
	const struct tool_cable *c = &l->cable;

	if (c->is_loop) {
		printf("it hears itself: the port works, and is looped (a loop plug, or RxD and "
		       "TxD touch)\n");
		return TOOL_FAILED;
	}
	if (c->bytes_in > 0) {
		printf("%" PRIu32 " bytes came, but no frame: another rate at the other end, or "
		       "something else\nthan 'yoke serial-test' sends there\n",
		       c->bytes_in);
		return TOOL_FAILED;
	}
	if (l->out_at < l->out_size)
		printf("the port takes nothing to send: flow control is on (--rtscts) and CTS is "
		       "off\n");
	printf("nothing came.  Is 'yoke serial-test' running on the other node, too?  Is it a null "
	       "modem\ncable (RxD and TxD crossed), and in the right port?\n");
	return TOOL_TIMED_OUT;
}

static int say(const struct line *l)
{
	const struct tool_cable *c = &l->cable;
	bool is_silent = yoke_time_span_us(c->heard_at, now()) > SILENT_US;

	if (l->hung_up) {
		printf("the line hung up: was the adapter pulled?\n");
		return TOOL_FAILED;
	}
	if (c->other == 0)
		return say_unheard(l);
	print_direction("to here:  ", &c->here);
	if (c->is_heard) {
		print_direction("to there: ", &c->there);
		print_trips(c);
	} else {
		printf("to there:  nothing%s\n",
		       is_silent ? "" : "; the wire from TxD here to RxD there does not work");
	}
	/* Before all else: who fell silent could not tell what it heard. */
	if (is_silent) {
		printf("nothing came in the end: the cable was pulled, or the test on the other "
		       "node ended\n");
		return TOOL_FAILED;
	}
	if (!c->is_heard)
		return TOOL_FAILED;
	if (!is_clean(&c->here) || !is_clean(&c->there)) {
		printf("the cable carries both directions, but not without errors: try a shorter "
		       "one, a lower\nrate, or --rtscts\n");
		return TOOL_FAILED;
	}
	printf("the cable works in both directions\n");
	return TOOL_OK;
}

int tool_serial_test(const struct tool_options *options, int argc, char **argv)
{
	static struct line l;
	struct serial_icounter_struct before;
	const struct hb_tty tty = {.device = argv[0],
				   .baud = options->baud != 0 ? options->baud : DEFAULT_BAUD,
				   .rtscts = options->rtscts};
	char why[YOKE_REASON_SIZE];
	uint32_t id = 0;

	(void)argc;
	if (!is_rate(tty.baud)) {
#define NAME(rate) " " #rate
		fprintf(stderr, "yoke: --baud is one of%s\n", YOKE_BAUDS(NAME));
		return TOOL_USAGE;
	}
	l = (struct line){.device = tty.device, .baud = tty.baud, .fd = hb_tty_open(&tty, why)};
	if (l.fd < 0) {
		fprintf(stderr, "yoke: %s: %s\n", tty.device, why);
		return TOOL_FAILED;
	}
	while (id == 0)
		if (getrandom(&id, sizeof(id), 0) < 0)
			return TOOL_FAILED;
	tool_cable_init(&l.cable, id);
	memset(&before, 0, sizeof(before));
	(void)ioctl(l.fd, TIOCGICOUNT, &before);
	printf("%s at %" PRIu32 " baud; now run the same on the other node\n", l.device, l.baud);
	print_wires(l.fd);
	fflush(stdout);
	run(&l, options->timeout_s);
	print_errors(l.fd, &before);
	(void)ioctl(l.fd, TCFLSH, TCOFLUSH);
	close(l.fd);
	return say(&l);
}
