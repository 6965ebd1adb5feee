/* yoked: the arguments, and which of its processes this is. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/role.h"
#include "agent/saver.h"

enum { OPTION_ROLE = 256, OPTION_KEEPER, OPTION_SNMP_UID, OPTION_STATE_DIR };

struct arguments {
	const char *conf_file, *node, *role, *state_dir;
	long long keeper, snmp_uid;
};

static const char usage[] =
	"usage: yoked [--config FILE] [--node NAME]\n"
	"Keeps the services of a two-node cluster alive.  Stays in the foreground; ends after a "
	"clean\n"
	"leave on SIGTERM: its groups are handed over first.\n"
	"  -c, --config FILE  the configuration (default /etc/yoke/yoke.conf); 'yoke check' "
	"explains it\n"
	"  -n, --node NAME    which node of it we are (default: the host name)\n"
	"      --version      print the version\n"
	"  -h, --help         this text\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"node", required_argument, NULL, 'n'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	/* of the keeper's children, not for people */
	{"role", required_argument, NULL, OPTION_ROLE},
	{"keeper", required_argument, NULL, OPTION_KEEPER},
	{"snmp-uid", required_argument, NULL, OPTION_SNMP_UID},
	{"state-dir", required_argument, NULL, OPTION_STATE_DIR},
	{NULL, 0, NULL, 0},
};

static long long number(const char *text)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text) {
		fprintf(stderr, "yoked: '%s' is not a number\n", text);
		exit(2);
	}
	return v;
}

static void parse(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:n:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			a->conf_file = optarg;
			break;
		case 'n':
			a->node = optarg;
			break;
		case 'V':
			printf("yoked %s\n", YOKE_VERSION);
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case OPTION_ROLE:
			a->role = optarg;
			break;
		case OPTION_KEEPER:
			a->keeper = number(optarg);
			break;
		case OPTION_SNMP_UID:
			a->snmp_uid = number(optarg);
			break;
		case OPTION_STATE_DIR:
			a->state_dir = optarg;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "yoked: what is '%s'?\n%s", argv[optind], usage);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct arguments a = {.conf_file = "/etc/yoke/yoke.conf", .snmp_uid = -1};

	signal(SIGPIPE, SIG_IGN); /* the reader of stderr may go away */
	yoke_log_open("yoked", YOKE_LOG_STDERR, YOKE_LOG_INFO);
	parse(argc, argv, &a);
	if (a.role == NULL)
		return agent_keeper_run(argv[0], a.conf_file, a.node);
	if (strcmp(a.role, "engine") == 0 && a.node != NULL)
		return agent_engine_run(a.node, (pid_t)a.keeper, a.snmp_uid);
	if (strcmp(a.role, "saver") == 0 && a.state_dir != NULL)
		return agent_saver_run(AGENT_ROLE_FD_CHANNEL, a.state_dir);
	fprintf(stderr, "yoked: unknown role '%s'\n", a.role);
	return 2;
}
