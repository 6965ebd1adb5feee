/* yoke-snmp - yoke's AgentX subagent: the engine's state as YOKE-MIB, its events as notifications.
 *
 * A process of its own, because net-snmp blocks: snmpd may hang for a minute, and the heartbeats
 * must not notice.  See subagent/value.h for the reading order.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/base/trim.h"
#include "subagent/agentx.h"
#include "subagent/feed.h"
#include "subagent/handler.h"
#include "subagent/notify.h"
#include "subagent/set.h"

enum {
	BELIEVED_MS = 10000, /* an older snapshot is not shown any more */
	LAST_WORDS_MS = 500, /* after SIGTERM, for what is on its way */
};

static struct subagent_feed feed;
static struct subagent_notify notify;
static struct subagent_set writes = {.feed = &feed};
static struct subagent_view view = {.ring = &feed.ring, .names = &feed.names};
static struct subagent_handler handler = {.view = &view, .set = &writes};

struct arguments {
	const char *socket, *agentx, *state, *user;
	bool log_stderr;
};

static void usage(FILE *out)
{
	fputs("usage: yoke-snmp [--socket FILE] [--agentx ADDRESS] [--state FILE] [--user NAME]\n"
	      "                 [--log-stderr]\n"
	      "  --socket FILE     yoked's control socket (/run/yoke/yoke.sock)\n"
	      "  --agentx ADDRESS  snmpd's AgentX socket (/var/agentx/master)\n"
	      "  --state FILE      remembers which event was delivered last\n"
	      "                    (/var/lib/yoke-snmp/delivered)\n"
	      "  --user NAME       give up root and run as this user\n"
	      "  --log-stderr      log to stderr instead of syslog\n"
	      "yoked starts it; by hand it is only for trying things out.\n",
	      out);
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'}, {"agentx", required_argument, NULL, 'x'},
		{"state", required_argument, NULL, 'f'},  {"user", required_argument, NULL, 'u'},
		{"log-stderr", no_argument, NULL, 'e'},   {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			arguments->socket = optarg;
			break;
		case 'x':
			arguments->agentx = optarg;
			break;
		case 'f':
			arguments->state = optarg;
			break;
		case 'u':
			arguments->user = optarg;
			break;
		case 'e':
			arguments->log_stderr = true;
			break;
		case 'V':
			puts("yoke-snmp " YOKE_VERSION);
			return EX_OK;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "yoke-snmp: '%s' is not an option\n", argv[optind]);
	usage(stderr);
	return EX_USAGE;
}

static int become(const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL) {
		yoke_log(YOKE_LOG_ERROR, "there is no user '%s': create it, or change snmp.user",
			 name);
		return -1;
	}
	if (initgroups(name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
	    setuid(user->pw_uid) == 0)
		return 0;
	yoke_log(YOKE_LOG_ERROR, "cannot become user '%s': %s", name, strerror(errno));
	return -1;
}

/* Returns a descriptor that is readable when the process is asked to end. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What the next answers are made from. */
static void refresh_view(yoke_time now)
{
	struct subagent_figures *figures = &view.figures;

	figures->data_age_ms = subagent_feed_age_ms(&feed, now);
	figures->engine_connected = feed.connection_has_snapshot;
	figures->sessions = subagent_agentx_sessions();
	figures->notifications_sent = notify.sent_total;
	figures->notifications_acknowledged = notify.acknowledged_total;
	figures->notifications_waiting = subagent_notify_waiting(&notify, &feed.ring);
	figures->events_missed = feed.missed;
	figures->sets_accepted = writes.accepted_total;
	figures->sets_refused = writes.refused_total;
	if (!feed.connection_has_snapshot)
		writes.lock_floor = 0; /* another engine counts anew */
	view.snapshot = figures->data_age_ms <= BELIEVED_MS ? &feed.snapshot : NULL;
	view.self = feed.snapshot.self;
	view.condition_changed_wall_ms = feed.condition_changed_wall_ms;
	view.control_lock = subagent_set_lock(&writes);
}

/* One turn of the loop, until `deadline` at the latest.  Returns true when signals is readable. */
static bool turn(int signals, yoke_time deadline)
{
	yoke_time now = subagent_feed_now();
	int fds[2];
	bool readable[2];

	subagent_feed_tick(&feed, now);
	if (feed.renumbered)
		subagent_notify_renumber(&notify);
	feed.renumbered = false;
	feed.acknowledged = notify.acknowledged;
	refresh_view(now);
	if (feed.has_snapshot) /* names are known */
		subagent_notify_pump(&notify, &view, now);
	subagent_agentx_tick(now);
	fds[0] = feed.fd;
	fds[1] = signals;
	subagent_agentx_wait(fds, readable, 2,
			     yoke_time_min(deadline, subagent_feed_deadline(&feed)), now);
	/* A SET may have closed the connection meanwhile, or opened another. */
	if (readable[0] && feed.fd == fds[0])
		subagent_feed_read(&feed, subagent_feed_now());
	return readable[1];
}

/* Events that the engine announced, and Responses of snmpd: so that the next start need not send
 * anything twice. */
static void last_words(void)
{
	yoke_time until = yoke_time_add_ms(subagent_feed_now(), LAST_WORDS_MS);

	do
		turn(-1, until);
	while ((feed.pulling || feed.kicked || subagent_notify_waiting(&notify, &feed.ring) > 0) &&
	       yoke_time_before(subagent_feed_now(), until));
	subagent_notify_pump(&notify, &view, subagent_feed_now());
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.socket = "/run/yoke/yoke.sock",
				      .agentx = "/var/agentx/master",
				      .state = "/var/lib/yoke-snmp/delivered"};
	int status = read_arguments(argc, argv, &arguments);
	struct timespec wall;
	int signals;

	if (status >= 0)
		return status;
	yoke_log_open("yoke-snmp", arguments.log_stderr ? YOKE_LOG_STDERR : YOKE_LOG_SYSLOG,
		      YOKE_LOG_INFO);
	if (arguments.user != NULL && become(arguments.user) != 0)
		return EX_NOUSER;
	signals = take_signals();
	clock_gettime(CLOCK_REALTIME, &wall);
	view.figures.started_wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000;
	subagent_notify_init(&notify, arguments.state);
	subagent_feed_init(&feed, arguments.socket, notify.acknowledged);
	subagent_agentx_start(arguments.agentx, &notify);
	if (subagent_handler_register(&handler) != 0) {
		yoke_log(YOKE_LOG_ERROR, "net-snmp refuses to register %s", YOKE_OID);
		return EX_SOFTWARE;
	}
	subagent_agentx_open();
	yoke_trim();
	while (!turn(signals, YOKE_NEVER))
		;
	last_words();
	return EX_OK;
}
