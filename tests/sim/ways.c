#include "tests/sim/ways.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/engine.h"
#include "hb/frame.h"
#include "tests/sim/trace.h"

enum {
	ALPHA = 1,
	BETA = 2,
	NODES = 2,
	SERIAL = 3,
	DISK = 4,
	PUBLIC = 5,
	PATHS = 5,
	COMBINATIONS = 1024, /* 4 letters, 5 paths */
	DUE_MAX = 64,
	OFFSET_US = 37000, /* between the nodes' starts: their beats are not in step */
	PHASE_US = 10000,  /* each combination is cut so much later than the one before, ... */
	PHASES = 100,      /* ... over all of a slow interval */
	STEP_US = 100000,
	SETTLE_US = 20000000, /* until all is well it takes at most this */
	BEGIN_US = 1000000000,
};

static const char letters[] = "uabx";

/* What an operation or a save ended in, to be told. */
struct due {
	enum core_event_type type;
	uint32_t id;
	enum core_result result;
};

/* What stands on a node's half of the disk, and its process. */
struct writer {
	int fd;
	size_t size;
	uint8_t post[HB_DISK_POST_SIZE];
};

struct node {
	struct hb hb;
	struct core core;
	bool runs; /* the group's address is here */
	unsigned due_count;
	struct due due[DUE_MAX];
	struct writer writer;
	int line;                /* our end of the cable */
	uint64_t carried[PATHS]; /* frames, of those that it sent */
	yoke_time lost_at;       /* it found the other one lost; YOKE_NEVER: it did not */
};

static struct conf conf;
static struct yoke_names names;
static struct node nodes[NODES]; /* [number - 1] */
static bool came[NODES][PATHS];  /* there may be something to be received */
static bool cut[NODES][PATHS];   /* what is sent to this node on this path is lost */
static yoke_time now, look_at, cut_at;
static bool must_stay; /* a path works both ways: nothing may happen */
static const char *combination;
static char failure[256];
static struct sim_trace trace;
static int64_t longest_us; /* from a cut to the end of the last node's contact */

static const char text[] =
	"cluster { name = ways }\n"
	"node alpha {\n"
	"  path udp1 { address = 10.1.0.1 } path udp2 { address = 10.2.0.1 }\n"
	"  path serial { type = serial device = /dev/ttyS0 baud = 19200 }\n"
	"  path disk { type = disk device = /dev/shared }\n"
	"  path public { address = 10.9.0.1 role = public } }\n"
	"node beta {\n"
	"  path udp1 { address = 10.1.0.2 } path udp2 { address = 10.2.0.2 }\n"
	"  path serial { type = serial device = /dev/ttyS0 baud = 19200 }\n"
	"  path disk { type = disk device = /dev/shared }\n"
	"  path public { address = 10.9.0.2 role = public } }\n"
	"group web { exclusive = no nodes = { alpha, beta }\n"
	"  resource vip { type = address address = '10.9.0.100/24' interface = eth0 } }\n";

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list list;

	if (failure[0] != '\0')
		return;
	va_start(list, format);
	vsnprintf(failure, sizeof(failure), format, list);
	va_end(list);
}

static uint16_t other(uint16_t node)
{
	return NODES + 1 - node;
}

/* Does the path work in both directions? */
static bool works(uint16_t path)
{
	return !cut[0][path - 1] && !cut[1][path - 1];
}

/* ---- a node: its core, and what is done for it ---- */

static void put_due(struct node *n, enum core_event_type type, uint32_t id, enum core_result result)
{
	if (n->due_count == DUE_MAX)
		abort();
	n->due[n->due_count++] = (struct due){.type = type, .id = id, .result = result};
}

static void run(uint16_t node, const struct core_action *a)
{
	static const char *const verbs[] = {"", "probe", "prepare", "start", "stop", "monitor"};
	struct node *n = &nodes[node - 1];
	enum core_run_kind kind = a->u.run.kind;
	enum core_result result = CORE_RESULT_DONE;

	sim_trace_line(&trace, now, names.node[node - 1], "  > %s", verbs[kind]);
	if (kind == CORE_RUN_PROBE || kind == CORE_RUN_MONITOR)
		result = n->runs ? CORE_RESULT_RUNNING : CORE_RESULT_STOPPED;
	if (kind == CORE_RUN_START || kind == CORE_RUN_STOP) {
		n->runs = kind == CORE_RUN_START;
		if (must_stay)
			fail("%s: a %s, though a path is left", names.node[node - 1], verbs[kind]);
	}
	put_due(n, CORE_RESULT, a->u.run.id, result);
}

static void show_event(uint16_t node, const struct core_action *a)
{
	struct yoke_event event = a->u.event;

	yoke_event_render(&event, &names);
	sim_trace_line(&trace, now, names.node[node - 1], "%s", event.text);
	if (event.kind != YOKE_EVENT_NODE_LOST)
		return;
	nodes[node - 1].lost_at = now;
	if (must_stay)
		fail("%s: the other node is lost, though a path is left", names.node[node - 1]);
}

static void perform(uint16_t node, const struct core_actions *all)
{
	struct node *n = &nodes[node - 1];

	for (unsigned i = 0; i < all->count; i++) {
		const struct core_action *a = &all->action[i];

		if (a->type == CORE_BEAT)
			hb_set_beat(&n->hb, all->beat, all->beat_size, now);
		else if (a->type == CORE_SEND)
			hb_send(&n->hb, a->u.send.node, all->message, all->message_size, now);
		else if (a->type == CORE_RUN)
			run(node, a);
		else if (a->type == CORE_SAVE)
			put_due(n, CORE_SAVED, a->u.save.version, CORE_RESULT_DONE);
		else if (a->type == CORE_EVENT)
			show_event(node, a);
	}
}

static void step_once(uint16_t node, struct core_event *ev)
{
	static struct core_actions actions;
	struct node *n = &nodes[node - 1];

	ev->now = now;
	core_step(&n->core, ev, &actions);
	perform(node, &actions);
}

/* An event, and all that is done at once because of it. */
static void step(uint16_t node, struct core_event *ev)
{
	static struct core_event told;
	struct node *n = &nodes[node - 1];

	step_once(node, ev);
	while (n->due_count > 0) {
		struct due due = n->due[0];

		memmove(n->due, n->due + 1, --n->due_count * sizeof(due));
		told.type = due.type;
		if (due.type == CORE_SAVED) {
			told.u.saved.version = due.id;
			told.u.saved.ok = true;
		} else {
			told.u.result.id = due.id;
			told.u.result.result = due.result;
		}
		step_once(node, &told);
	}
}

static void tell_changes(uint16_t node, const struct hb_changes *changes)
{
	static struct core_event ev;

	for (unsigned i = 0; i < changes->count; i++) {
		const struct hb_change *c = &changes->change[i];

		sim_trace_line(&trace, now, names.node[node - 1], "  %s: %s",
			       names.path[c->path - 1], yoke_word_path_state(c->to));
		ev.type = CORE_PATH;
		ev.u.path.node = c->node;
		ev.u.path.path = c->path;
		ev.u.path.state = c->to;
		step(node, &ev);
	}
}

static void tell_message(uint16_t node, const struct hb_received *received)
{
	static struct core_event ev;

	if (received->kind == HB_BEAT && received->repeated &&
	    !core_wants_beat(&nodes[node - 1].core, received->node, received->echoed_at))
		return;
	ev.type = CORE_MESSAGE;
	ev.u.message.node = received->node;
	ev.u.message.path = received->path;
	ev.u.message.incarnation = received->incarnation;
	ev.u.message.echoed = received->echoed_at;
	ev.u.message.size = received->size;
	memcpy(ev.u.message.bytes, received->bytes, received->size);
	step(node, &ev);
}

/* ---- the cables and the disk ---- */

static bool is_udp(uint16_t path)
{
	return path != SERIAL && path != DISK;
}

/* All that is on the way to a node on a path is lost. */
static void drop(uint16_t node, uint16_t path)
{
	uint8_t bytes[HB_FRAME_SIZE_MAX];

	while (recv(hb_fd(&nodes[node - 1].hb, path), bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
		;
}

/* What a node wrote to its line. */
static void carry_line(uint16_t from)
{
	uint8_t bytes[4096];
	ssize_t got;

	while ((got = read(nodes[from - 1].line, bytes, sizeof(bytes))) > 0) {
		if (cut[other(from) - 1][SERIAL - 1])
			continue;
		(void)!send(nodes[other(from) - 1].line, bytes, (size_t)got, MSG_NOSIGNAL);
		came[other(from) - 1][SERIAL - 1] = true;
	}
}

/* What a node posts is on the disk at once; cut off, what it posted before stands there. */
static void write_disk(uint16_t node)
{
	static const uint8_t done = HB_POST_WRITTEN;
	struct writer *w = &nodes[node - 1].writer;
	uint8_t post[HB_DISK_POST_SIZE];
	ssize_t got;

	while ((got = recv(w->fd, post, sizeof(post), MSG_DONTWAIT)) > 0) {
		if (!cut[other(node) - 1][DISK - 1]) {
			memcpy(w->post, post, (size_t)got);
			w->size = (size_t)got;
		}
		(void)!send(w->fd, &done, sizeof(done), MSG_NOSIGNAL);
		came[node - 1][DISK - 1] = true;
	}
}

/* What stands there, also when it has been read before. */
static void read_disk(uint16_t node)
{
	const struct writer *from = &nodes[other(node) - 1].writer;
	uint8_t bytes[1 + HB_DISK_POST_SIZE] = {HB_POST_READ};

	memcpy(bytes + 1, from->post, from->size);
	(void)!send(nodes[node - 1].writer.fd, bytes, 1 + from->size, MSG_NOSIGNAL);
	came[node - 1][DISK - 1] = true;
}

/* What has come on a path, which is what makes a node do something. */
static void take_in(uint16_t node, uint16_t path)
{
	static struct hb_received received;
	struct hb *hb = &nodes[node - 1].hb;
	struct hb_changes changes;

	if (is_udp(path) && cut[node - 1][path - 1])
		drop(node, path);
	while (hb_receive(hb, path, now, &received, &changes) == 1) {
		tell_changes(node, &changes);
		tell_message(node, &received);
	}
	tell_changes(node, &changes);
}

/* Carry what was sent since the last look.  Returns whether there was anything. */
static bool carry(uint16_t from)
{
	struct node *n = &nodes[from - 1];
	bool more = false;

	for (uint16_t path = 1; path <= PATHS; path++) {
		uint64_t sent = hb_path_of(&n->hb, other(from), path)->sent;

		if (sent == n->carried[path - 1])
			continue;
		n->carried[path - 1] = sent;
		more = true;
		if (path == SERIAL)
			carry_line(from);
		else if (path == DISK)
			write_disk(from);
		else
			came[other(from) - 1][path - 1] = true;
	}
	return more;
}

/* Let everything that is on the way arrive, and the answers to it. */
static void settle(void)
{
	bool more = true;

	while (more) {
		for (uint16_t node = ALPHA; node <= BETA; node++)
			for (uint16_t path = 1; path <= PATHS; path++)
				if (came[node - 1][path - 1]) {
					came[node - 1][path - 1] = false;
					take_in(node, path);
				}
		more = carry(ALPHA);
		more |= carry(BETA);
	}
}

/* While a path works both ways.  A public one may have been late for a moment, until it was
 * answered at full rate; here that takes no time. */
static void expect_online(uint16_t node)
{
	enum yoke_node_state state = nodes[node - 1].core.node[other(node) - 1].state;

	if (must_stay && state != YOKE_NODE_ONLINE)
		fail("%s: the other node is %s, though a path is left", names.node[node - 1],
		     yoke_word_node_state(state));
}

/* ---- time ---- */

static void wake(uint16_t node)
{
	static struct core_event ev;
	struct node *n = &nodes[node - 1];
	struct hb_changes changes;

	if (yoke_time_due(hb_deadline(&n->hb), now)) {
		if (hb_tick(&n->hb, now, &changes) > 0)
			abort(); /* nobody stalls here */
		tell_changes(node, &changes);
	}
	ev.type = CORE_TIMER;
	if (yoke_time_due(core_deadline(&n->core), now))
		step(node, &ev);
}

static yoke_time next(uint16_t node)
{
	return yoke_time_min(hb_deadline(&nodes[node - 1].hb),
			     core_deadline(&nodes[node - 1].core));
}

static void pass(int64_t span_us)
{
	yoke_time end = yoke_time_add_us(now, span_us);

	while (failure[0] == '\0') {
		yoke_time at = yoke_time_min(look_at, yoke_time_min(next(ALPHA), next(BETA)));

		if (yoke_time_before(end, at))
			break;
		now = yoke_time_max(now, at);
		wake(ALPHA);
		wake(BETA);
		if (yoke_time_due(look_at, now)) {
			read_disk(ALPHA);
			read_disk(BETA);
			look_at = yoke_time_add_ms(look_at, conf_path_look_ms(&conf, DISK - 1));
		}
		settle();
		expect_online(ALPHA);
		expect_online(BETA);
	}
	now = end;
}

/* ---- start and end ---- */

/* A loopback address that no other process has, nor another end. */
static void choose(struct hb_endpoint *endpoint, unsigned node, unsigned path)
{
	uint32_t pid = (uint32_t)getpid() & 0xffff;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(CONF_PORT),
		.sin_addr.s_addr = htonl(127u << 24 | pid << 8 | node << 4 | (path + 1)),
	};

	memcpy(&endpoint->address, &address, sizeof(address));
	endpoint->address_len = sizeof(address);
	endpoint->interface[0] = '\0';
}

static int plug(uint16_t node, uint16_t path, int type)
{
	int fd[2];

	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	hb_give_fd(&nodes[node - 1].hb, path, fd[1], now);
	return fd[0];
}

static void start(uint16_t node, struct hb_conf *hb)
{
	static struct core_conf core;
	static struct core_event ev;
	struct node *n = &nodes[node - 1];
	char why[YOKE_REASON_SIZE];

	memset(n, 0, sizeof(*n));
	n->lost_at = YOKE_NEVER;
	hb->self = node;
	hb->incarnation = 0xa0u + node;
	if (hb_init(&n->hb, hb, now, why) != 0)
		abort();
	n->line = plug(node, SERIAL, SOCK_STREAM);
	n->writer.fd = plug(node, DISK, SOCK_SEQPACKET);
	agent_setup_core(&conf, node, hb->incarnation, &core);
	core_init(&n->core, &core, NULL, 0, NULL, now);
	ev.type = CORE_TIMER;
	step(node, &ev);
	ev = (struct core_event){.type = CORE_RESOURCE};
	ev.u.resource.resource = 1;
	ev.u.resource.news = CORE_NEWS_USABLE;
	ev.u.resource.hwaddr[CORE_HWADDR_SIZE - 1] = (uint8_t)node;
	step(node, &ev);
}

static void start_both(void)
{
	static const struct hb_keys keys = {.count = 1, .key = {{.id = 3, .bytes = {0x5a}}}};
	static struct hb_conf hb;

	memset(cut, 0, sizeof(cut));
	memset(came, 0, sizeof(came));
	must_stay = false;
	failure[0] = '\0';
	now = look_at = (yoke_time){BEGIN_US};
	agent_setup_hb(&conf, ALPHA, 1, &keys, &hb);
	for (unsigned node = 0; node < NODES; node++)
		for (unsigned path = 0; path < PATHS; path++)
			if (path != SERIAL - 1 && path != DISK - 1)
				choose(&hb.endpoint[node][path], node, path);
	start(ALPHA, &hb);
	now = yoke_time_add_us(now, OFFSET_US);
	start(BETA, &hb);
}

static void end_both(void)
{
	for (unsigned i = 0; i < NODES; i++) {
		hb_fini(&nodes[i].hb);
		close(nodes[i].line);
		close(nodes[i].writer.fd);
	}
}

/* ---- what must be so ---- */

static bool is_well(void)
{
	const struct core_group *alpha = &nodes[0].core.group[0], *beta = &nodes[1].core.group[0];

	for (uint16_t node = ALPHA; node <= BETA; node++) {
		const struct node *n = &nodes[node - 1];

		for (uint16_t path = 1; path <= PATHS; path++)
			if (hb_path_of(&n->hb, other(node), path)->state != YOKE_PATH_UP)
				return false;
		if (n->core.node[other(node) - 1].state != YOKE_NODE_ONLINE)
			return false;
	}
	return nodes[0].runs != nodes[1].runs && alpha->owner == beta->owner &&
	       alpha->state == (nodes[0].runs ? YOKE_GROUP_STARTED : YOKE_GROUP_STOPPED) &&
	       beta->state == (nodes[1].runs ? YOKE_GROUP_STARTED : YOKE_GROUP_STOPPED) &&
	       nodes[alpha->owner - 1].runs;
}

/* Wait until all is well, and then for two dead times more. */
static void expect_well(uint16_t owner, const char *when)
{
	yoke_time end = yoke_time_add_us(now, SETTLE_US);

	while (failure[0] == '\0' && !is_well() && yoke_time_before(now, end))
		pass(STEP_US);
	pass((int64_t)conf.dead_ms * 2000);
	if (!is_well())
		fail("%s not everything is up, with one owner", when);
	if (!nodes[owner - 1].runs)
		fail("%s it is not %s that has the group", when, names.node[owner - 1]);
}

static enum yoke_path_state expected(uint16_t node, uint16_t path)
{
	if (works(path))
		return YOKE_PATH_UP;
	return cut[node - 1][path - 1] ? YOKE_PATH_DOWN : YOKE_PATH_ONE_WAY;
}

static void expect_verdict(uint16_t node)
{
	const struct node *n = &nodes[node - 1];
	enum yoke_node_state state = n->core.node[other(node) - 1].state;
	enum yoke_node_state wanted = must_stay ? YOKE_NODE_ONLINE : YOKE_NODE_LOST;

	for (uint16_t path = 1; path <= PATHS; path++) {
		enum yoke_path_state is = hb_path_of(&n->hb, other(node), path)->state;

		if (is != expected(node, path))
			fail("%s: %s is %s, not %s", names.node[node - 1], names.path[path - 1],
			     yoke_word_path_state(is), yoke_word_path_state(expected(node, path)));
		if (n->core.node[other(node) - 1].path[path - 1] != is)
			fail("%s: the core was not told of %s", names.node[node - 1],
			     names.path[path - 1]);
	}
	if (state != wanted)
		fail("%s: the other node is %s, not %s", names.node[node - 1],
		     yoke_word_node_state(state), yoke_word_node_state(wanted));
}

/* How long it takes at most until a node finds the other one lost.  Of a cut in one direction who
 * still hears is told a dead time later, and until its private paths are late then, a public one
 * may be slow. */
static int64_t lost_us(void)
{
	int64_t ms = conf_detect_ms(&conf);

	if (strpbrk(combination, "ab") != NULL)
		ms += conf.dead_ms + conf.late_ms;
	return ms * 1000;
}

/* No path is left, and nobody answers for the address: both have the group.  Returns who will win.
 */
static uint16_t expect_two(void)
{
	for (unsigned i = 0; i < NODES && failure[0] == '\0'; i++) {
		int64_t took_us = yoke_time_span_us(cut_at, nodes[i].lost_at);

		if (took_us > longest_us)
			longest_us = took_us;
		if (took_us > lost_us())
			fail("%s: the other node is lost after %lld ms", names.node[i],
			     (long long)took_us / 1000);
		if (!nodes[i].runs)
			fail("%s does not run the group", names.node[i]);
	}
	return nodes[0].core.group[0].term > nodes[1].core.group[0].term ? ALPHA : BETA;
}

static void apply(void)
{
	must_stay = false;
	for (uint16_t path = 1; path <= PATHS; path++) {
		char letter = combination[path - 1];

		cut[BETA - 1][path - 1] = letter == 'a' || letter == 'x';
		cut[ALPHA - 1][path - 1] = letter == 'b' || letter == 'x';
		must_stay |= works(path);
	}
	cut_at = now;
	sim_trace_line(&trace, now, "world", "cut: %s", combination);
}

static bool try_one(const char *name, unsigned phase)
{
	uint32_t slow_us = conf_slow_ms(&conf) * 1000;
	uint16_t owner = ALPHA;

	combination = name;
	start_both();
	expect_well(ALPHA, "at the start");
	pass((int64_t)(phase % PHASES) * PHASE_US);
	apply();
	/* A public path that is slow is down after five slow intervals; that it works one way only
	 * is known after another five. */
	pass(12 * (int64_t)slow_us);
	expect_verdict(ALPHA);
	expect_verdict(BETA);
	if (!must_stay)
		owner = expect_two();
	memset(cut, 0, sizeof(cut));
	sim_trace_line(&trace, now, "world", "mend");
	expect_well(owner, "after the mending");
	end_both();
	if (failure[0] != '\0')
		printf("FAIL ways %s: %s\nbuild/tests/sim/sim --ways %s\n", name, failure, name);
	return failure[0] == '\0';
}

static unsigned number_of(const char *name)
{
	unsigned number = 0;

	for (unsigned i = 0; i < PATHS; i++)
		number = number * 4 + (unsigned)(strchr(letters, name[i]) - letters);
	return number;
}

static bool try_all(void)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < COMBINATIONS; i++) {
		char name[PATHS + 1] = "";

		for (unsigned path = 0; path < PATHS; path++)
			name[path] = letters[i >> (2 * (PATHS - 1 - path)) & 3];
		passed += try_one(name, i);
	}
	printf("ways: %u combinations of %u paths; with none left the nodes have lost each other "
	       "after %lld ms at most, %u passed, %u failed\n",
	       COMBINATIONS, PATHS, (long long)longest_us / 1000, passed, COMBINATIONS - passed);
	return passed == COMBINATIONS;
}

/* An assertion of the core, or a crash: say which combination it was. */
static void on_signal(int number)
{
	char told[64];
	int size = snprintf(told, sizeof(told), "signal %d\nbuild/tests/sim/sim --ways %s\n",
			    number, combination);

	if (write(STDERR_FILENO, told, (size_t)size) < 0)
		_exit(2);
	signal(number, SIG_DFL);
	raise(number);
}

bool sim_ways(const char *only)
{
	static struct conf_problems problems;

	if (only != NULL && (strlen(only) != PATHS || strspn(only, letters) != PATHS)) {
		fprintf(stderr,
			"sim --ways: %s: five of the letters %s are wanted, one for each of "
			"udp1, udp2, serial, disk and public\n",
			only, letters);
		return false;
	}
	if (conf_parse(text, "ways", &conf, &problems) != 0) {
		fprintf(stderr, "sim --ways: %s\n", problems.problem[0].text);
		return false;
	}
	agent_setup_names(&conf, &names);
	signal(SIGPIPE, SIG_IGN); /* a tty has none */
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	sim_trace_init(&trace);
	trace.show = only != NULL;
	return only != NULL ? try_one(only, number_of(only)) : try_all();
}
