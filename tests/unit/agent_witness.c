/* agent/witness.h: what a witness that serves two clusters tells their nodes, asked as an engine
 * asks (agent/ask.h), and what it still knows after it was killed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/ask.h"
#include "agent/keys.h"
#include "agent/witness.h"
#include "agent/witness_try.h"

enum { CLUSTERS = 2, NODES = 2, LEASE_MS = 600000, TIMEOUT_MS = 5000, REFUSED_MS = 100 };

static const char *const name[CLUSTERS] = {"one", "two"};
static char dir[] = "/tmp/agent_witness.XXXXXX", file[96], why[CONF_PROBLEM_SIZE];
static struct conf conf[CLUSTERS];
static struct hb_keys keys[CLUSTERS];
static struct agent_ask_set node[CLUSTERS][NODES];
static int port;
static pid_t witness;

static const char *path(const char *leaf)
{
	snprintf(file, sizeof(file), "%s/%s", dir, leaf);
	return file;
}

static int free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* It has said that it runs when this returns. */
static void start_witness(void)
{
	char said[256] = "";
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	witness = fork();
	if (witness == 0) {
		dup2(ends[1], STDERR_FILENO);
		_exit(agent_witness_run(path("conf")));
	}
	close(ends[1]);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	assert_non_null(strstr(said, "for 2 clusters"));
}

static void kill_witness(void)
{
	kill(witness, SIGKILL);
	assert_int_equal(waitpid(witness, NULL, 0), witness);
}

static void make_cluster(int c)
{
	static struct conf_problems problems;
	struct conf_keys made = {.count = 0};
	char text[512];

	assert_int_equal(conf_keys_add(&made, why), 0);
	assert_int_equal(conf_keys_write(path(name[c]), &made, true, why), 0);
	agent_keys_hb(&made, &keys[c]);
	snprintf(text, sizeof(text),
		 "cluster { name = %s }\n"
		 "node a { path p { address = 10.1.0.1 } }\n"
		 "node b { path p { address = 10.1.0.2 } }\n"
		 "group g { resource r { type = address interface = e\n"
		 "address = '192.0.2.1/24' } }\n"
		 "arbiter w { type = witness address = 127.0.0.1 port = %d }\n",
		 name[c], port);
	if (conf_parse(text, "t", &conf[c], &problems) != 0)
		fail_msg("line %d: %s", problems.problem[0].line, problems.problem[0].text);
	for (uint16_t n = 0; n < NODES; n++)
		assert_int_equal(agent_ask_init(&node[c][n], &conf[c], (uint16_t)(n + 1), n + 1u,
						&keys[c]),
				 0);
}

static int set_up(void **state)
{
	FILE *out;

	(void)state;
	assert_non_null(mkdtemp(dir));
	port = free_port();
	for (int c = 0; c < CLUSTERS; c++)
		make_cluster(c);
	out = fopen(path("conf"), "w");
	assert_non_null(out);
	fprintf(out,
		"witness { address = 127.0.0.1 port = %d state_dir = '%s/state' user = nobody }\n"
		"cluster one { key_file = '%s/one' }\ncluster two { key_file = '%s/two' }\n",
		port, dir, dir, dir);
	fclose(out);
	start_witness();
	return 0;
}

static int tear_down(void **state)
{
	static const char *const leaf[] = {"conf",	"one",	      "two",  "state/one",
					   "state/two", "state/~try", "state"};

	(void)state;
	kill_witness();
	for (int c = 0; c < CLUSTERS; c++)
		for (int n = 0; n < NODES; n++)
			agent_ask_fini(&node[c][n]);
	for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]); i++)
		remove(path(leaf[i]));
	return rmdir(dir);
}

static yoke_time now_is(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (yoke_time){(int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

/* One question of a node (from 1), to its end. */
static struct core_event ask(int c, uint16_t n, enum core_ask_kind kind, uint32_t timeout_ms)
{
	static uint32_t last;
	struct agent_ask_set *set = &node[c][n - 1];
	struct core_action a = {.type = CORE_ASK};
	struct pollfd p = {.fd = set->ask[0].fd[0], .events = POLLIN};
	struct core_event ev;

	a.u.ask.id = ++last;
	a.u.ask.arbiter = 1;
	a.u.ask.kind = kind;
	a.u.ask.timeout_ms = timeout_ms;
	a.u.ask.lease_ms = LEASE_MS;
	agent_ask_begin(set, &a, now_is());
	while (!agent_ask_take(set, &ev)) {
		poll(&p, 1, 10);
		agent_ask_read(set, p.fd, now_is());
		agent_ask_tick(set, now_is());
	}
	assert_int_equal(ev.u.answer.id, last);
	return ev;
}

/* holder: 0, the node gets what it asks for. */
static void check(int c, uint16_t n, enum core_ask_kind kind, uint16_t holder)
{
	struct core_event ev = ask(c, n, kind, TIMEOUT_MS);

	assert_string_equal(ev.u.answer.reason, "");
	assert_int_equal(ev.u.answer.result, holder == 0 ? CORE_RESULT_DONE : CORE_RESULT_ANSWERED);
	assert_int_equal(ev.u.answer.node, holder);
}

static void each_cluster_has_a_lock_of_its_own(void **state)
{
	(void)state;
	check(0, 1, CORE_ASK_CLAIM, 0);
	check(1, 2, CORE_ASK_CLAIM, 0);
	check(0, 2, CORE_ASK_CLAIM, 1);
	check(1, 1, CORE_ASK_CLAIM, 2);
	check(1, 2, CORE_ASK_RELEASE, 0);
	check(1, 1, CORE_ASK_LOOK, 0);
	check(0, 2, CORE_ASK_LOOK, 1);
}

/* A node of the one with the key of the other. */
static void a_clusters_key_opens_no_other_one(void **state)
{
	struct core_event ev;

	(void)state;
	check(0, 1, CORE_ASK_CLAIM, 0);
	assert_int_equal(agent_ask_set_keys(&node[0][0], &keys[1]), 0);
	ev = ask(0, 1, CORE_ASK_RELEASE, REFUSED_MS);
	assert_int_equal(ev.u.answer.result, CORE_RESULT_FAILED);
	assert_string_equal(ev.u.answer.reason, "the witness does not answer");
	assert_int_equal(agent_ask_set_keys(&node[0][0], &keys[0]), 0);
	check(0, 2, CORE_ASK_CLAIM, 1);
}

static void a_restart_forgets_no_holder(void **state)
{
	(void)state;
	check(0, 1, CORE_ASK_CLAIM, 0);
	check(1, 2, CORE_ASK_CLAIM, 0);
	kill_witness();
	start_witness();
	check(0, 2, CORE_ASK_CLAIM, 1);
	check(1, 1, CORE_ASK_CLAIM, 2);
	check(0, 1, CORE_ASK_CLAIM, 0);
	check(0, 1, CORE_ASK_RELEASE, 0);
	kill_witness();
	start_witness();
	check(0, 2, CORE_ASK_CLAIM, 0);
}

/* A node asks until it hears that; what a witness found out is believed for a while. */
static void look_until(int c, uint16_t n, const char *reason)
{
	struct core_event ev = ask(c, n, CORE_ASK_LOOK, TIMEOUT_MS);
	yoke_time end = yoke_time_add_ms(now_is(), 4 * AGENT_WITNESS_TRY_MS);

	while (strcmp(ev.u.answer.reason, reason) != 0 && yoke_time_before(now_is(), end)) {
		poll(NULL, 0, 50);
		ev = ask(c, n, CORE_ASK_LOOK, TIMEOUT_MS);
	}
	assert_string_equal(ev.u.answer.reason, reason);
	assert_int_equal(ev.u.answer.result,
			 reason[0] == '\0' ? CORE_RESULT_DONE : CORE_RESULT_FAILED);
}

/* For all clusters alike; who has a lock keeps it, and nobody is given one. */
static void what_cannot_be_saved_is_told(void **state)
{
	static const char denied[] = "it cannot save: Permission denied";
	struct core_event ev;

	(void)state;
	check(0, 2, CORE_ASK_RELEASE, 0);
	check(1, 2, CORE_ASK_CLAIM, 0);
	look_until(0, 1, "");
	assert_int_equal(chmod(path("state"), 0500), 0);
	look_until(0, 1, denied);
	look_until(0, 2, denied);
	check(1, 1, CORE_ASK_LOOK, 2);
	check(1, 2, CORE_ASK_CLAIM, 0);
	ev = ask(0, 1, CORE_ASK_CLAIM, TIMEOUT_MS);
	assert_int_equal(ev.u.answer.result, CORE_RESULT_FAILED);
	assert_string_equal(ev.u.answer.reason, denied);
	assert_int_equal(chmod(path("state"), 0700), 0);
	look_until(0, 1, "");
	check(0, 2, CORE_ASK_CLAIM, 0);
	check(0, 2, CORE_ASK_RELEASE, 0);
}

/* What is tried waits for the disk (here: for a reader); who asks for a lock does not wait for it.
 */
static void a_disk_that_hangs_is_told_and_delays_no_claim(void **state)
{
	int reader;

	(void)state;
	kill_witness();
	assert_int_equal(mkfifo(path("state/~try.new"), 0666), 0);
	assert_int_equal(chmod(path("state/~try.new"), 0666), 0);
	start_witness();
	look_until(0, 1, "it cannot save: its disk does not answer");
	check(0, 2, CORE_ASK_CLAIM, 0);
	check(0, 2, CORE_ASK_RELEASE, 0);
	look_until(1, 2, "it cannot save: its disk does not answer");
	reader = open(path("state/~try.new"), O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	look_until(0, 1, "it cannot save: Invalid argument");
	assert_int_equal(remove(path("state/~try.new")), 0);
	close(reader);
	kill_witness();
	start_witness();
	look_until(0, 1, "");
}

static unsigned tries(void)
{
	struct stat st;

	assert_int_equal(stat(path("state/~try"), &st), 0);
	return (unsigned)st.st_ino ^ (unsigned)st.st_mtim.tv_nsec ^ (unsigned)st.st_mtim.tv_sec;
}

/* However often it is asked, and by however many. */
static void one_write_is_enough_for_all(void **state)
{
	yoke_time begin = now_is();
	unsigned writes = 1, spans, last;

	(void)state;
	check(0, 1, CORE_ASK_LOOK, 0);
	last = tries();
	for (int i = 0; i < 200; i++) {
		check(0, (uint16_t)(1 + i % NODES), CORE_ASK_LOOK, 0);
		writes += tries() != last;
		last = tries();
	}
	spans = (unsigned)(yoke_time_span_us(begin, now_is()) / 1000 / AGENT_WITNESS_TRY_MS);
	assert_true(writes <= 2 + spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cluster_has_a_lock_of_its_own),
		cmocka_unit_test(a_clusters_key_opens_no_other_one),
		cmocka_unit_test(a_restart_forgets_no_holder),
		cmocka_unit_test(what_cannot_be_saved_is_told),
		cmocka_unit_test(a_disk_that_hangs_is_told_and_delays_no_claim),
		cmocka_unit_test(one_write_is_enough_for_all),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
