#include "agent/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/keys.h"
#include "agent/privilege.h"
#include "agent/witness_lock.h"
#include "agent/witness_try.h"
#include "conf/witness.h"

enum { DATAGRAM_SIZE = 256, NAME_SIZE = CONF_FILE_SIZE + YOKE_NAME_SIZE + 16, LINE_SIZE = 64 };

/* A request that was opened, and where its answer goes. */
struct witness_request {
	struct hb_witness_frame frame;
	unsigned key; /* index of the one that it is sealed with */
	struct sockaddr_storage from;
	socklen_t from_len;
};

/* A node, as this run knows it. */
struct witness_node {
	uint64_t incarnation, sequence; /* of its newest request; 0: not known */
	uint64_t cookie;                /* what its next incarnation must bring */
	struct hb_key_ring ring;
	bool waits; /* with its newest request, until it is known whether a lock can be saved */
	struct witness_request request;
};

struct witness_cluster {
	const char *name;
	uint8_t id[HB_WITNESS_CLUSTER_SIZE];
	struct hb_keys keys;
	struct agent_witness_lock lock;
	struct hb_key_ring ring;  /* ours */
	struct hb_seal_key trial; /* of a node that is not known, or under a key that is not */
	uint64_t sequence;
	struct witness_node node[YOKE_NODES_MAX];
};

struct witness {
	struct conf_witness conf;
	uint64_t incarnation;
	int fd, dir_fd, signal_fd;
	struct agent_witness_try try;
	struct witness_cluster cluster[CONF_CLUSTERS_MAX];
};

static yoke_time now_is(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (yoke_time){(int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

static int say(const char *what, const char *why)
{
	yoke_log(YOKE_LOG_ERROR, "%s: %s", what, why);
	return -1;
}

static uint64_t draw(void)
{
	uint64_t n = 0;

	while (n == 0)
		if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
			return 0;
	return n;
}

/* ---- what is on disk: a file for each cluster, "HOLDER LEASE_MS" ---- */

static int save(const struct witness *w, const struct witness_cluster *c)
{
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%u %u\n", c->lock.holder, c->lock.lease_ms);
	return agent_witness_try_write(w->dir_fd, c->name, line);
}

/* Returns -1 when there is a file that says nothing: then nobody may be given the lock. */
static int load(const struct witness *w, struct witness_cluster *c)
{
	char line[LINE_SIZE] = "";
	unsigned holder, lease_ms;
	int fd = openat(w->dir_fd, c->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t size;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	size = read(fd, line, sizeof(line) - 1);
	close(fd);
	errno = EINVAL;
	if (size <= 0 || sscanf(line, "%u %u", &holder, &lease_ms) != 2 || holder > YOKE_NODES_MAX)
		return -1;
	c->lock.holder = (uint16_t)holder;
	c->lock.lease_ms = lease_ms;
	c->lock.renewed_at = now_is(); /* it may have been renewed until now */
	return 0;
}

/* ---- requests ---- */

static struct witness_cluster *cluster_of(struct witness *w, const uint8_t *id)
{
	for (unsigned i = 0; i < w->conf.cluster_count; i++)
		if (memcmp(w->cluster[i].id, id, HB_WITNESS_CLUSTER_SIZE) == 0)
			return &w->cluster[i];
	return NULL;
}

static void swap_keys(struct hb_seal_key *a, struct hb_seal_key *b)
{
	struct hb_seal_key kept = *a;

	*a = *b;
	*b = kept;
}

static bool try_key(struct witness_cluster *c, unsigned key, const uint8_t *bytes,
		    struct hb_witness_frame *frame)
{
	return hb_witness_derive(&c->trial, c->keys.key[key].bytes, frame->sender,
				 frame->incarnation) == 0 &&
	       hb_witness_open(&c->trial, bytes, frame);
}

static void keep_trial(struct witness_cluster *c, struct witness_node *n, unsigned key)
{
	swap_keys(&n->ring.seal[key], &c->trial);
	n->ring.derived[key] = true;
}

/* Open a request.  *known: it is of the present incarnation and newer than all before it; *key: the
 * index of the one that it is sealed with. */
static bool open_request(struct witness_cluster *c, const uint8_t *bytes,
			 struct hb_witness_frame *frame, bool *known, unsigned *key)
{
	struct witness_node *n = &c->node[frame->sender - 1];

	*known = frame->incarnation == n->incarnation;
	for (*key = 0; *key < c->keys.count; (*key)++) {
		if (*known && n->ring.derived[*key]) {
			if (hb_witness_open(&n->ring.seal[*key], bytes, frame))
				return frame->sequence > n->sequence;
		} else if (try_key(c, *key, bytes, frame)) {
			if (*known)
				keep_trial(c, n, *key);
			return !*known || frame->sequence > n->sequence;
		}
	}
	return false;
}

/* A new incarnation brings the cookie that it was challenged with: once. */
static bool admit(struct witness_cluster *c, const struct hb_witness_frame *frame, unsigned key)
{
	struct witness_node *n = &c->node[frame->sender - 1];

	if (n->cookie == 0)
		n->cookie = draw();
	if (n->cookie == 0 || frame->cookie != n->cookie)
		return false;
	n->cookie = draw();
	n->incarnation = frame->incarnation;
	hb_key_ring_forget(&n->ring);
	keep_trial(c, n, key);
	return true;
}

/* The holder has changed: it is on disk before it is told.  Returns an errno. */
static int keep(struct witness *w, struct witness_cluster *c)
{
	int error = save(w, c) < 0 ? errno : 0;

	agent_witness_try_note(&w->try, now_is(), error);
	if (error != 0)
		yoke_log(YOKE_LOG_ERROR, "cluster %s: its lock cannot be saved: %s", c->name,
			 strerror(error));
	return error;
}

/* Fills result, node and error of the answer.  Returns false when it is not known yet. */
static bool decide(struct witness *w, struct witness_cluster *c,
		   const struct hb_witness_frame *request, struct hb_witness_frame *answer)
{
	struct agent_witness_lock before = c->lock;
	enum agent_witness_can can = AGENT_WITNESS_CAN_SAVE;
	bool must_save;
	int error = 0;

	answer->result = (uint8_t)agent_witness_lock_ask(&c->lock, request->sender,
							 (enum hb_witness_kind)request->kind,
							 request->lease_ms, now_is(), &must_save);
	if (must_save) {
		error = keep(w, c);
		can = error == 0 ? AGENT_WITNESS_CAN_SAVE : AGENT_WITNESS_CANNOT_SAVE;
	} else if (request->kind == HB_WITNESS_LOOK && answer->result == HB_WITNESS_YES) {
		can = agent_witness_try_ask(&w->try, now_is(), &error);
	}
	if (can == AGENT_WITNESS_CANNOT_SAVE) {
		c->lock = before;
		answer->result = HB_WITNESS_UNSAVED;
		answer->error = (uint32_t)error;
	} else if (must_save) {
		yoke_log(YOKE_LOG_INFO, "cluster %s: node %u %s the lock", c->name, request->sender,
			 c->lock.holder != 0 ? "has" : "gave back");
	}
	answer->node = c->lock.holder;
	return can != AGENT_WITNESS_IS_TRYING;
}

static void answer(struct witness *w, struct witness_cluster *c, const struct witness_request *r,
		   struct hb_witness_frame *frame)
{
	uint8_t bytes[HB_WITNESS_FRAME_SIZE];

	frame->incarnation = w->incarnation;
	frame->sequence = ++c->sequence;
	frame->kind = r->frame.kind;
	frame->echo_incarnation = r->frame.incarnation;
	frame->echo_sequence = r->frame.sequence;
	memcpy(frame->cluster_id, c->id, sizeof(frame->cluster_id));
	if (hb_witness_put(&c->ring.seal[r->key], frame, bytes))
		(void)sendto(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
			     (const struct sockaddr *)&r->from, r->from_len);
}

/* The newest request of a node that is known. */
static void serve(struct witness *w, struct witness_cluster *c, struct witness_node *n)
{
	struct hb_witness_frame frame = {0};

	n->waits = !decide(w, c, &n->request.frame, &frame);
	if (!n->waits)
		answer(w, c, &n->request, &frame);
}

static void challenge(struct witness *w, struct witness_cluster *c, const struct witness_request *r)
{
	struct hb_witness_frame frame = {
		.result = HB_WITNESS_CHALLENGE,
		.node = c->lock.holder,
		.cookie = c->node[r->frame.sender - 1].cookie,
	};

	answer(w, c, r, &frame);
}

static void take(struct witness *w)
{
	struct witness_request r = {.from_len = sizeof(r.from)};
	struct hb_witness_frame *frame = &r.frame;
	uint8_t bytes[DATAGRAM_SIZE];
	ssize_t size = recvfrom(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
				(struct sockaddr *)&r.from, &r.from_len);
	struct witness_cluster *c;
	struct witness_node *n;
	bool known;

	if (size < 0 || !hb_witness_get_header(bytes, (size_t)size, frame) || frame->sender < 1 ||
	    frame->sender > YOKE_NODES_MAX)
		return;
	c = cluster_of(w, frame->cluster_id);
	if (c == NULL || !open_request(c, bytes, frame, &known, &r.key))
		return;
	if (!known && !admit(c, frame, r.key)) {
		challenge(w, c, &r);
		return;
	}
	n = &c->node[frame->sender - 1];
	n->sequence = frame->sequence;
	n->request = r;
	serve(w, c, n);
}

/* What was tried has come to its end: tell all who wait for that. */
static void tried(struct witness *w)
{
	agent_witness_try_end(&w->try, now_is());
	for (unsigned i = 0; i < w->conf.cluster_count; i++)
		for (unsigned n = 0; n < YOKE_NODES_MAX; n++)
			if (w->cluster[i].node[n].waits)
				serve(w, &w->cluster[i], &w->cluster[i].node[n]);
}

/* ---- start ---- */

static int open_cluster(struct witness *w, unsigned i)
{
	struct witness_cluster *c = &w->cluster[i];
	static struct conf named; /* far too large for the stack */
	char why[CONF_PROBLEM_SIZE];
	struct conf_keys keys;

	c->name = w->conf.cluster[i].name;
	if (conf_keys_load(w->conf.cluster[i].key_file, &keys, why) < 0)
		return say("key", why);
	agent_keys_hb(&keys, &c->keys);
	explicit_bzero(&keys, sizeof(keys));
	memcpy(named.cluster, c->name, YOKE_NAME_SIZE);
	conf_cluster_id(&named, c->id);
	if (hb_key_ring_init(&c->ring) < 0 || hb_seal_init(&c->trial) < 0)
		return say(c->name, "the crypto library fails");
	for (unsigned k = 0; k < c->keys.count; k++)
		if (hb_witness_derive(&c->ring.seal[k], c->keys.key[k].bytes, 0, w->incarnation) <
		    0)
			return say(c->name, "the crypto library fails");
	for (unsigned n = 0; n < YOKE_NODES_MAX; n++)
		if (hb_key_ring_init(&c->node[n].ring) < 0)
			return say(c->name, "the crypto library fails");
	return 0;
}

/* What is derived is in the crypto library's memory, which wipes it. */
static void close_cluster(struct witness_cluster *c)
{
	hb_key_ring_fini(&c->ring);
	hb_seal_fini(&c->trial);
	for (unsigned n = 0; n < YOKE_NODES_MAX; n++)
		hb_key_ring_fini(&c->node[n].ring);
}

static int open_socket(struct witness *w)
{
	int off = 0;

	w->fd = socket(w->conf.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return say("socket", strerror(errno));
	if (w->conf.address.ss_family == AF_INET6)
		setsockopt(w->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(w->fd, (const struct sockaddr *)&w->conf.address, w->conf.address_len) < 0)
		return say("its address", strerror(errno));
	return 0;
}

static int open_state(struct witness *w, uid_t uid, gid_t gid)
{
	if (mkdir(w->conf.state_dir, 0700) < 0 && errno != EEXIST)
		return say(w->conf.state_dir, strerror(errno));
	w->dir_fd = open(w->conf.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (w->dir_fd < 0 || (geteuid() == 0 && fchown(w->dir_fd, uid, gid) < 0))
		return say(w->conf.state_dir, strerror(errno));
	agent_witness_try_init(&w->try, w->dir_fd);
	return 0;
}

static int load_locks(struct witness *w)
{
	for (unsigned i = 0; i < w->conf.cluster_count; i++)
		if (load(w, &w->cluster[i]) < 0) {
			yoke_log(YOKE_LOG_ERROR,
				 "cluster %s: %s/%s is damaged: remove it when no node of the "
				 "cluster goes by this witness",
				 w->cluster[i].name, w->conf.state_dir, w->cluster[i].name);
			return -1;
		}
	return 0;
}

static int open_signals(struct witness *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return say("signals", strerror(errno));
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return w->signal_fd < 0 ? say("signalfd", strerror(errno)) : 0;
}

static int prepare(struct witness *w, const char *conf_file)
{
	static struct conf_problems problems;
	char why[YOKE_REASON_SIZE];
	uid_t uid;
	gid_t gid;

	yoke_log_open("yoked-witness", YOKE_LOG_STDERR, YOKE_LOG_INFO);
	if (conf_witness_load(conf_file, &w->conf, &problems) < 0) {
		for (unsigned i = 0; i < problems.count; i++)
			yoke_log(YOKE_LOG_ERROR, "%s:%d: %s", conf_file, problems.problem[i].line,
				 problems.problem[i].text);
		return -1;
	}
	if (geteuid() == 0 && agent_privilege_user(w->conf.user, &uid, &gid, why) < 0)
		return say("user", why);
	w->incarnation = draw();
	if (w->incarnation == 0)
		return say("getrandom", strerror(errno));
	for (unsigned i = 0; i < w->conf.cluster_count; i++)
		if (open_cluster(w, i) < 0)
			return -1;
	if (open_socket(w) < 0 ||
	    open_state(w, geteuid() == 0 ? uid : 0, geteuid() == 0 ? gid : 0) < 0)
		return -1;
	if (geteuid() == 0 && agent_privilege_become(uid, gid, false) < 0)
		return say("user", strerror(errno));
	prctl(PR_SET_DUMPABLE, 0); /* the keys are in here; another user would undo it */
	return load_locks(w) < 0 || open_signals(w) < 0 ? -1 : 0;
}

int agent_witness_run(const char *conf_file)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (w == NULL || prepare(w, conf_file) < 0) {
		free(w);
		return 1;
	}
	yoke_log(YOKE_LOG_INFO, "witness " YOKE_VERSION " for %u clusters", w->conf.cluster_count);
	for (;;) {
		struct pollfd p[3] = {{.fd = w->fd, .events = POLLIN},
				      {.fd = w->signal_fd, .events = POLLIN},
				      {.fd = w->try.fd, .events = POLLIN}};

		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return say("poll", strerror(errno)) < 0;
		if (p[1].revents != 0)
			break;
		if (p[2].revents != 0)
			tried(w);
		if (p[0].revents != 0)
			take(w);
	}
	for (unsigned i = 0; i < w->conf.cluster_count; i++)
		close_cluster(&w->cluster[i]);
	explicit_bzero(w, sizeof(*w));
	free(w);
	return 0;
}
