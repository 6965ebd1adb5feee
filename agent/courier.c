#include "agent/courier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/channel.h"
#include "agent/keeper.h"
#include "agent/privilege.h"
#include "agent/role.h"
#include "conf/change.h"
#include "conf/push.h"
#include "hb/seal.h"

enum {
	IDLE_MS = 120000,
	SHOWN_IDLE_MS = 900000, /* while somebody reads what was shown, and decides */
	NONCE_MS = 3600000,     /* from its GET, whatever is asked since: who can withhold a push
				   cannot do it for longer */
	NAME_SIZE = CONF_PUSH_FILE_SIZE + 8,
	SAID_SIZE = NAME_SIZE + 160,
};

static const char nothing_was_changed[] = "nothing was changed";

/* Not static: the engine, which is the same program, locks all that is. */
struct courier {
	const char *conf_file, *node;
	struct conf running, next;
	struct conf_problems problems;
	struct conf_change change;
	struct yoke_transfer t;         /* the last one that was begun */
	uint8_t state;                  /* of it */
	char file[CONF_PUSH_FILE_SIZE]; /* conf_file behind all links */
	/* Of the last GET, and when that was; empty: used up, or there was none. */
	char nonce[CONF_PUSH_NONCE_SIZE + 1];
	int64_t given_ms;
	char given[CONF_TEXT_MAX + 1], now[CONF_TEXT_MAX + 1]; /* the file then, and now */
	ssize_t given_size;
	char put[CONF_TEXT_MAX + 1]; /* of the last PUT */
	size_t put_size;
	bool replaced;  /* it took the file's place */
	uint32_t waits; /* number of the PUT that waits for a keeper that goes by the new file, or
			   for its no; 0: none */
	uint8_t sealed[CONF_PUSH_SEALED_SIZE];
};

/* ---- what is answered ---- */

static void say(struct courier *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line more. */
static void say(struct courier *c, const char *format, ...)
{
	size_t room = sizeof(c->t.out) - c->t.out_size;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(c->t.out + c->t.out_size, room, format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size + 1 >= room)
		return;
	c->t.out[c->t.out_size + (uint32_t)size] = '\n';
	c->t.out_size += (uint32_t)size + 1;
}

static void say_errno(struct courier *c, const char *what)
{
	say(c, "%s: %s", what, strerror(errno));
}

/* ---- the file ---- */

static int open_file(struct courier *c)
{
	char file[PATH_MAX];

	if (realpath(c->conf_file, file) == NULL)
		return -1;
	if (strlen(file) >= sizeof(c->file)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(c->file, file, strlen(file) + 1);
	return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Returns its size; -1 with errno. */
static ssize_t read_file(struct courier *c, char text[CONF_TEXT_MAX + 1])
{
	int fd = open_file(c);
	ssize_t used = 0, got = 1;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	while (got > 0 && used < CONF_TEXT_MAX + 1) {
		got = read(fd, text + used, (size_t)(CONF_TEXT_MAX + 1 - used));
		used += got > 0 ? got : 0;
	}
	close(fd);
	if (got == 0 && used <= CONF_TEXT_MAX) {
		text[used] = '\0';
		return used;
	}
	errno = got < 0 ? errno : EFBIG;
	return -1;
}

static bool is_same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* Is yoked's configuration what the text says? */
static bool runs_by(struct courier *c, const char *text)
{
	char why[YOKE_REASON_SIZE];
	int self = conf_self(&c->running, c->node, why);

	if (self < 0 || conf_parse(text, c->conf_file, &c->next, &c->problems) < 0)
		return false;
	conf_change(&c->running, &c->next, (unsigned)self, &c->change);
	return !c->change.any;
}

static uint8_t get(struct courier *c)
{
	uint8_t random[CONF_PUSH_NONCE_SIZE / 2];

	c->nonce[0] = '\0';
	c->given_size = read_file(c, c->given);
	if (c->given_size < 0 || getrandom(random, sizeof(random), 0) != sizeof(random)) {
		say_errno(c, c->conf_file);
		return YOKE_PIECE_REFUSED;
	}
	c->given_ms = agent_keeper_now_ms();
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(c->nonce + 2 * i, 3, "%02x", random[i]);
	say(c, "%s %s", c->nonce, runs_by(c, c->given) ? "same" : "other");
	say(c, "%s", c->file);
	memcpy(c->t.out + c->t.out_size, c->given, (size_t)c->given_size);
	c->t.out_size += (uint32_t)c->given_size;
	return YOKE_PIECE_DONE;
}

/* ---- another one ---- */

static bool is_seal(struct courier *c, const struct conf_key *key, const char *seal, size_t size)
{
	uint8_t mac[HB_MAC_SIZE];
	char digits[CONF_PUSH_SEAL_SIZE + 1];

	if (!hb_seal_mac(key->bytes, CONF_PUSH_LABEL, c->sealed, size, mac))
		return false;
	for (size_t i = 0; i < HB_MAC_SIZE; i++)
		snprintf(digits + 2 * i, 3, "%02x", mac[i]);
	return hb_seal_same(digits, seal, CONF_PUSH_SEAL_SIZE);
}

/* Does it come from who may say what root runs here? */
static bool is_sealed(struct courier *c, const char *seal)
{
	struct conf_push push = {c->nonce, c->node,    c->given, (size_t)c->given_size,
				 c->put,   c->put_size};
	char why[CONF_PROBLEM_SIZE], file[CONF_FILE_SIZE + 16];
	struct conf_keys keys = {.count = 0};
	size_t size = conf_push_sealed(&push, c->sealed);
	bool ok = false;

	conf_push_key_file(&c->running, file);
	if (conf_keys_load(file, &keys, why) < 0) {
		say(c, "%s", why);
		say(c,
		    "a push is sealed by a key of its own, which the engine never has: 'yoke key "
		    "generate %s' on one node, and copy it to the other as the cluster's",
		    file);
		return false;
	}
	for (unsigned i = 0; size > 0 && i < keys.count; i++)
		ok = ok || is_seal(c, &keys.key[i], seal, size);
	explicit_bzero(&keys, sizeof(keys));
	if (!ok)
		say(c,
		    "it is not sealed by this node's %s, for the file that is here: is that key "
		    "the same on both nodes, or did another 'yoke config' look since?",
		    file);
	return ok;
}

static bool is_as_it_was(struct courier *c)
{
	ssize_t size = read_file(c, c->now);

	if (size >= 0 && is_same(c->now, (size_t)size, c->given, (size_t)c->given_size))
		return true;
	say(c, "%s has been changed since it was shown: look again", c->conf_file);
	return false;
}

/* As `yoke check` says it, and `yoke reload`. */
static bool is_good(struct courier *c, const char *text)
{
	char why[YOKE_REASON_SIZE];
	int rc = conf_parse(text, c->conf_file, &c->next, &c->problems), self;

	for (unsigned i = 0; i < c->problems.count; i++) {
		const struct conf_problem *p = &c->problems.problem[i];
		const char *what = p->warning ? "warning" : "error";

		if (p->line > 0)
			say(c, "%s:%d: %s: %s", c->conf_file, p->line, what, p->text);
		else
			say(c, "%s: %s: %s", c->conf_file, what, p->text);
	}
	self = rc < 0 ? -1 : conf_self(&c->running, c->node, why);
	if (rc == 0 && (self < 0 || conf_self(&c->next, c->node, why) < 0)) {
		say(c, "%s", why);
		return false;
	}
	if (rc < 0)
		return false;
	conf_change(&c->running, &c->next, (unsigned)self, &c->change);
	for (unsigned i = 0; i < c->change.refusal_count; i++)
		say(c, "needs a restart: %s", c->change.refusal[i]);
	return c->change.refusal_count == 0;
}

/* Returns false with errno. */
static bool sync_directory(const struct courier *c)
{
	char name[NAME_SIZE];
	int fd, why;

	snprintf(name, sizeof(name), "%s", c->file);
	*(strrchr(name, '/') + 1) = '\0';
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	why = fsync(fd) < 0 ? errno : 0;
	close(fd);
	errno = why;
	return why == 0;
}

static bool write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, text, size);

		if (put < 0 && errno != EINTR)
			return false;
		text += put > 0 ? put : 0;
		size -= put > 0 ? (size_t)put : 0;
	}
	return true;
}

/* Beside the present one, as accessible as it is.  Returns false with errno when there is none. */
static bool write_beside(const struct courier *c, char name[NAME_SIZE], const char *text,
			 size_t size)
{
	struct stat st;
	int fd, why;

	snprintf(name, NAME_SIZE, "%s.XXXXXX", c->file);
	if (stat(c->file, &st) < 0)
		return false;
	fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return false;
	why = write_all(fd, text, size) && fchown(fd, st.st_uid, st.st_gid) == 0 &&
			      fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0
		      ? 0
		      : errno;
	close(fd);
	if (why != 0)
		unlink(name);
	errno = why;
	return why == 0;
}

/* At each moment there is one whole file with the name, and the present one's bytes are in .old. */
static bool replace(struct courier *c)
{
	char made[NAME_SIZE], kept[NAME_SIZE], old[NAME_SIZE];
	bool ok;

	snprintf(old, sizeof(old), "%s.old", c->file);
	if (!write_beside(c, kept, c->given, (size_t)c->given_size)) {
		say_errno(c, c->file);
		return false;
	}
	if (!write_beside(c, made, c->put, c->put_size)) {
		say_errno(c, c->file);
		unlink(kept);
		return false;
	}
	/* Again: what was written took its time. */
	ok = is_as_it_was(c);
	if (ok && (rename(kept, old) < 0 || rename(made, c->file) < 0)) {
		say_errno(c, c->file);
		ok = false;
	}
	if (!ok) {
		unlink(kept);
		unlink(made);
		return false;
	}
	yoke_log(YOKE_LOG_INFO, "%s: the other node's root put another one in its place", c->file);
	/* From here on it is there: what fails cannot make it a refusal. */
	if (!sync_directory(c))
		say(c, "warning: %s is replaced, perhaps not after a loss of power: %s", c->file,
		    strerror(errno));
	return true;
}

/* Says what became of it. */
static void put_back(struct courier *c, char said[SAID_SIZE])
{
	char old[NAME_SIZE];
	ssize_t size;

	if (!c->replaced) {
		snprintf(said, SAID_SIZE, "%s", nothing_was_changed);
		return;
	}
	snprintf(old, sizeof(old), "%s.old", c->file);
	size = read_file(c, c->now);
	if (size >= 0 && !is_same(c->now, (size_t)size, c->put, c->put_size))
		snprintf(said, SAID_SIZE, "%s has been changed since, and is left as it is",
			 c->file);
	else if (size < 0 || rename(old, c->file) < 0)
		snprintf(said, SAID_SIZE, "the old file cannot be put back from %s: %s", old,
			 strerror(errno));
	else
		snprintf(said, SAID_SIZE, "%s: the old file is in its place again%s",
			 nothing_was_changed,
			 sync_directory(c) ? "" : ", perhaps not after a loss of power");
}

/* The keeper says no. */
static void end_put(struct courier *c, const char *why)
{
	char said[SAID_SIZE];
	uint32_t number = c->waits;

	c->waits = 0;
	put_back(c, said);
	yoke_log(YOKE_LOG_WARNING, "%s: the other node's is not taken: %s", c->conf_file, said);
	if (c->t.number != number)
		return; /* somebody else asks by now */
	say(c, "yoked does not take it: %.95s", why);
	say(c, "%s", said);
	c->state = YOKE_PIECE_REFUSED;
}

static uint8_t refuse(struct courier *c)
{
	say(c, "%s", nothing_was_changed);
	return YOKE_PIECE_REFUSED;
}

/* May a file be put now? */
static bool is_awaited(struct courier *c)
{
	if (c->waits != 0) {
		say(c, "another file is being taken: look again in a moment");
		return false;
	}
	if (c->nonce[0] != '\0' && agent_keeper_now_ms() < c->given_ms + NONCE_MS)
		return true;
	say(c, "this is no answer to what was shown, or too late: look again");
	return false;
}

static uint8_t put(struct courier *c)
{
	static const struct agent_channel_message m = {.kind = AGENT_CHANNEL_RELOAD};
	const char *text = memchr(c->t.in, '\n', c->t.in_size);

	if (!is_awaited(c))
		return refuse(c);
	if (text == NULL || text - c->t.in != CONF_PUSH_SEAL_SIZE) {
		say(c, "this is no answer to what was shown: look again");
		return refuse(c);
	}
	text++;
	c->put_size = c->t.in_size - (size_t)(text - c->t.in);
	if (c->put_size > CONF_TEXT_MAX || memchr(text, '\0', c->put_size) != NULL) {
		say(c, "it is longer than %d bytes, or no text", CONF_TEXT_MAX);
		return refuse(c);
	}
	memcpy(c->put, text, c->put_size + 1); /* with its NUL */
	if (!is_sealed(c, c->t.in))
		return refuse(c);
	c->nonce[0] = '\0';
	if (!is_as_it_was(c) || !is_good(c, c->put))
		return refuse(c);
	/* The same one: yoked is to go by it, and what the last push replaced stays. */
	c->replaced = !is_same(c->put, c->put_size, c->given, (size_t)c->given_size);
	if (c->replaced && !replace(c))
		return refuse(c);
	if (!c->change.any)
		return YOKE_PIECE_DONE;
	/* A keeper that cannot be told has gone, and the next one is asked what it goes by: nothing
	 * is undone. */
	c->waits = c->t.number;
	(void)agent_channel_send_patiently(AGENT_ROLE_FD_CHANNEL, &m);
	return YOKE_PIECE_MORE;
}

/* ---- the loop ---- */

static void begin(struct courier *c, const struct yoke_piece *piece)
{
	c->t.number = piece->number;
	c->t.verb = piece->verb;
	c->t.out_size = c->t.out_taken = c->t.in_size = c->t.in_total = 0;
	c->t.begun = false;
	c->state = YOKE_PIECE_MORE;
	if (piece->verb == YOKE_PIECE_GET)
		c->state = get(c);
	else if (piece->verb != YOKE_PIECE_PUT)
		c->state = YOKE_PIECE_UNKNOWN;
	else if (!is_awaited(c))
		c->state = refuse(c); /* before all of it is sent */
}

static int answer(struct courier *c, struct agent_channel_message *m)
{
	struct yoke_piece piece, back = {.kind = YOKE_PIECE_ANSWER, .state = YOKE_PIECE_UNKNOWN};
	bool is_new;

	if (!yoke_piece_get(m->u.bulk.bytes, m->u.bulk.size, &piece))
		return 0;
	is_new = piece.number != c->t.number && piece.offset == 0 && piece.taken == 0;
	if (is_new)
		begin(c, &piece);
	back.number = piece.number;
	back.verb = piece.verb;
	if (piece.number == c->t.number && piece.verb == c->t.verb) {
		(void)yoke_transfer_take(&c->t, &piece);
		if (c->t.verb == YOKE_PIECE_PUT && c->state == YOKE_PIECE_MORE && c->waits == 0 &&
		    yoke_transfer_has_all(&c->t))
			c->state = put(c);
		yoke_transfer_next(&c->t, m->u.bulk.room, &back);
		back.state = c->state;
		/* What is said may become more until it is over. */
		if (c->state == YOKE_PIECE_MORE)
			back.offset = back.total = back.size = 0;
	}
	m->u.bulk.size = (uint16_t)yoke_piece_put(&back, m->u.bulk.bytes);
	return agent_channel_send_patiently(AGENT_ROLE_FD_CHANNEL, m);
}

int agent_courier_run(const char *conf_file, const char *node, pid_t keeper)
{
	struct courier *c = calloc(1, sizeof(*c));
	struct agent_channel_message *m = calloc(1, sizeof(*m));

	prctl(PR_SET_DUMPABLE, 0); /* a key passes through here */
	if (agent_privilege_bind(keeper) < 0 || c == NULL || m == NULL ||
	    agent_role_read_conf(AGENT_ROLE_FD_CONF, &c->running) < 0)
		return 1;
	c->conf_file = conf_file;
	c->node = node;
	for (;;) {
		int got = agent_channel_wait(AGENT_ROLE_FD_CHANNEL, m,
					     c->nonce[0] == '\0' ? IDLE_MS : SHOWN_IDLE_MS);

		if (got < 0 || (got == 0 && c->waits == 0))
			return 0;
		if (got > 0 && m->kind == AGENT_CHANNEL_REFUSED && c->waits != 0)
			end_put(c, m->u.refused.reason);
		if (got > 0 && m->kind == AGENT_CHANNEL_BULK && answer(c, m) < 0)
			return 0;
	}
}
