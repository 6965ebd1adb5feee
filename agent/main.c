/* yoked: the arguments, and which of its processes this is. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/base/log.h"
#include "agent/courier.h"
#include "agent/disk.h"
#include "agent/post.h"
#include "agent/role.h"
#include "agent/saver.h"
#include "agent/serial.h"
#include "agent/witness.h"

enum {
	OPTION_ROLE = 256,
	OPTION_KEEPER,
	OPTION_SNMP_UID,
	OPTION_STATE_DIR,
	OPTION_ARBITER,
	OPTION_PATH,
	OPTION_RENEWED,
	OPTION_DEVICE,
	OPTION_BAUD,
	OPTION_RTSCTS
};

struct arguments {
	bool witness, rtscts;
	const char *conf_file, *node, *role, *state_dir, *renewed, *device;
	long long keeper, snmp_uid, arbiter, path, baud;
};

static const char usage[] =
	"usage: yoked [--config FILE] [--node NAME]\n"
	"Keeps the services of a two-node cluster alive.  Stays in the foreground; ends after a "
	"clean\n"
	"leave on SIGTERM: its groups are handed over first.  SIGHUP: read the configuration\n"
	"again, as 'yoke reload' does, and become the program that is installed now; what is\n"
	"in both runs on.  SIGUSR2: the program only.\n"
	"  -c, --config FILE  the configuration (default /etc/yoke/yoke.conf); 'yoke check' "
	"explains it\n"
	"      --witness      keep the locks of clusters on a third host instead; the\n"
	"                     configuration is then /etc/yoke/witness.conf\n"
	"  -n, --node NAME    which node of it we are (default: the host name)\n"
	"      --version      print the version\n"
	"  -h, --help         this text\n";

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"node", required_argument, NULL, 'n'},
	{"witness", no_argument, NULL, 'w'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	/* of the keeper's children, not for people */
	{"role", required_argument, NULL, OPTION_ROLE},
	{"keeper", required_argument, NULL, OPTION_KEEPER},
	{"snmp-uid", required_argument, NULL, OPTION_SNMP_UID},
	{"state-dir", required_argument, NULL, OPTION_STATE_DIR},
	{"arbiter", required_argument, NULL, OPTION_ARBITER},
	{"path", required_argument, NULL, OPTION_PATH},
	{"renewed", required_argument, NULL, OPTION_RENEWED},
	{"device", required_argument, NULL, OPTION_DEVICE},
	{"baud", required_argument, NULL, OPTION_BAUD},
	{"rtscts", no_argument, NULL, OPTION_RTSCTS},
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
		case 'w':
			a->witness = true;
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
		case OPTION_ARBITER:
			a->arbiter = number(optarg);
			break;
		case OPTION_PATH:
			a->path = number(optarg);
			break;
		case OPTION_RENEWED:
			a->renewed = optarg;
			break;
		case OPTION_DEVICE:
			a->device = optarg;
			break;
		case OPTION_BAUD:
			a->baud = number(optarg);
			break;
		case OPTION_RTSCTS:
			a->rtscts = true;
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
	struct arguments a = {.snmp_uid = -1};

	signal(SIGPIPE, SIG_IGN); /* the reader of stderr may go away */
	/* The keeper starts the others as /proc/self/exe: they would be named "exe". */
	prctl(PR_SET_NAME, "yoked");
	yoke_log_open("yoked", YOKE_LOG_STDERR, YOKE_LOG_INFO);
	parse(argc, argv, &a);
	if (a.conf_file == NULL)
		a.conf_file = a.witness ? "/etc/yoke/witness.conf" : "/etc/yoke/yoke.conf";
	if (a.witness)
		return agent_witness_run(a.conf_file);
	if (a.role == NULL)
		return agent_keeper_run(argv[0], a.conf_file, a.node, a.renewed);
	if (strcmp(a.role, "trial") == 0 && a.node != NULL)
		return agent_keeper_trial(a.node);
	if (strcmp(a.role, "reload") == 0 && a.node != NULL)
		return agent_keeper_reload_trial(a.conf_file, a.node);
	if (strcmp(a.role, "courier") == 0 && a.node != NULL)
		return agent_courier_run(a.conf_file, a.node, (pid_t)a.keeper);
	if (strcmp(a.role, "engine") == 0 && a.node != NULL)
		return agent_engine_run(a.node, (pid_t)a.keeper, a.snmp_uid);
	if (strcmp(a.role, "saver") == 0 && a.state_dir != NULL)
		return agent_saver_run(AGENT_ROLE_FD_CHANNEL, a.state_dir);
	if (strcmp(a.role, "disk") == 0 && a.node != NULL)
		return agent_disk_run(a.node, (unsigned)a.arbiter, (pid_t)a.keeper);
	if (strcmp(a.role, "post") == 0 && a.node != NULL)
		return agent_post_run(a.node, (unsigned)a.path, (pid_t)a.keeper);
	if (strcmp(a.role, "serial") == 0 && a.device != NULL)
		return agent_serial_run(a.device, (uint32_t)a.baud, a.rtscts, (pid_t)a.keeper);
	fprintf(stderr, "yoked: unknown role '%s'\n", a.role);
	return 2;
}
