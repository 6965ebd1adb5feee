#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/text.h"
#include "tools/tool.h"

static int version(const struct tool_options *options, int argc, char **argv)
{
	(void)options;
	(void)argc;
	(void)argv;
	puts("yoke " YOKE_VERSION);
	return TOOL_OK;
}

static int replay(const struct tool_options *options, int argc, char **argv)
{
	char name[] = "replay";
	char *arguments[] = {name, argv[0], NULL};

	(void)options;
	return tool_replay(argc + 1, arguments);
}

#define WAITS                                                                                      \
	"\nWaits for the outcome and says how long it took.  Exits with 0 when it succeeded,\n"    \
	"1 when it was refused or failed, 3 without an engine, 4 when the time was over.\n"

static const struct tool_verb verbs[] = {
	{"status", "[--json] [--wide]", "Show the cluster as this node sees it",
	 "\nAttention is due where a line stands out.  --exit-code is for scripts: 0 ok,\n"
	 "10 degraded, 11 critical.\n",
	 "Sjwet", 0, 0, tool_status},
	{"watch", "", "Show the cluster live, with the events as they come, until Ctrl-C",
	 "\nWhere standard output is not a terminal, prints one line for each event.\n", "Swt", 0,
	 0, tool_watch},
	{"history", "[-n N] [--follow] [--json]", "Show the last events of this node's engine", "",
	 "Snfjt", 0, 0, tool_history},
	{"switch", "GROUP NODE", "Make NODE the owner of GROUP (a switchover)", WAITS, "SrNtj", 2,
	 2, tool_switch},
	{"failback", "[GROUP]", "Move GROUP, or every group, to its preferred node", WAITS, "SrNtj",
	 0, 1, tool_failback},
	{"standby", "[NODE]", "NODE (this one) hands its groups over and takes none", WAITS,
	 "SrNtj", 0, 1, tool_standby},
	{"online", "[NODE]", "End the standby of NODE (this one), and forget its failures", WAITS,
	 "SrNtj", 0, 1, tool_online},
	{"confirm-down", "NODE [--by WHO] [--ticket NUMBER]",
	 "Vouch that the silent NODE is down, so that its groups can move",
	 "\nOnly for a node that is lost, and only when you know that it is off or will not come\n"
	 "back with its groups: an exclusive group then starts on the other node.  Who says so,\n"
	 "the ticket and the reason are recorded.\n" WAITS,
	 "SrykNtj", 1, 1, tool_confirm_down},
	{"maintenance", "[group NAME | node NAME]",
	 "Watch, but do not act: for a group, a node, or the whole cluster",
	 "\nWhat is in maintenance is monitored, and nothing is started, stopped, restarted, "
	 "moved\n"
	 "or taken over; nobody is switched off for its sake.  It lasts over restarts until 'yoke\n"
	 "resume' ends it, and is recalled by an event every day.\n" WAITS,
	 "SrNtj", 0, 2, tool_maintenance},
	{"resume", "[group NAME | node NAME]",
	 "End the maintenance of a group, a node, or the cluster",
	 "\nEverything is probed before anything is done.\n" WAITS, "SrNtj", 0, 2, tool_resume},
	{"simulate", "--fail NODE | PATH | RESOURCE...",
	 "Say what would happen if something failed now, with times",
	 "\nRuns the real core on a model of the cluster as it is now; nothing is touched.  A "
	 "NODE\n"
	 "loses its power, a PATH is cut, a RESOURCE dies where it runs and cannot be started\n"
	 "there; several fail at once.  KIND:NAME (node:, path:, resource:) where a name has two\n"
	 "meanings.  The configuration is " TOOL_CONF " or $YOKE_CONF.  Exits with 1\n"
	 "when a group that runs now would run nowhere.\n",
	 "Sjtx", 0, 8, tool_simulate},
	{"check", "[FILE]", "Check a configuration and say what the cluster will do",
	 "\nFILE is " TOOL_CONF " when it is not given.  Each problem is a line\n"
	 "'file:line: error: text'.  Exits with 0 when there is no error, else 1.\n",
	 "", 0, 1, tool_check},
	{"reload", "", "Have yoked read its configuration again, and move nothing",
	 "\nThe file is checked, and what it changes is said, before anything is done; an error\n"
	 "changes nothing.  Groups, resources and paths may come, go and change, and so may "
	 "times,\n"
	 "log and SNMP; the rest needs 'systemctl restart yoked', which is said.  What is in both\n"
	 "runs on untouched.  A group that this node no longer has goes to the other node, if "
	 "that\n"
	 "has it still, or is stopped; a resource is stopped alone, and first.  --yes, or an "
	 "answer\n"
	 "at the terminal, is needed for that.  Reload the node that runs nothing first.\n",
	 "StY", 0, 0, tool_reload},
	{"config", "diff | push [NODE]",
	 "Compare the other node's configuration with this one's, or make it the same",
	 "\nOver the heartbeats' paths, sealed; a piece each interval, so that nothing waits for "
	 "it.\n"
	 "diff prints what push would change there, and exits with 0 when both files are the\n"
	 "same, 1 when they differ, 2 in trouble.  push shows that, says how long it takes, and\n"
	 "asks.  The other node checks the file; with an error, or with what needs a restart,\n"
	 "nothing is changed.  Else it keeps its old file as FILE.old, takes the new one, and\n"
	 "reloads.  Push to the node that runs nothing, then 'yoke reload' here.\n"
	 "push needs a key that yoked's engine never has: 'yoke key generate\n"
	 "/etc/yoke/push.key' once, and copy it to the other node as you did the cluster's.\n"
	 "For root only.\n",
	 "SjtY", 1, 2, tool_config},
	{"key", "generate | list | rotate | retire | reload [FILE]",
	 "Make the cluster's key, or exchange it on a running pair",
	 "\ngenerate writes a new key: copy it to the other node over a secure channel; only root\n"
	 "may be able to read it.  list shows numbers, ages and use.  To exchange it:\n"
	 "  1. rotate, on one node: a new key is added to the file, and yoked takes both\n"
	 "  2. copy the file to the other node and to every witness\n"
	 "  3. reload, on the other node: both now seal with the new key; restart witnesses\n"
	 "  4. retire, on both nodes: the older key is dropped; refused while it is needed\n"
	 "No heartbeat is lost.  FILE is key_file of " TOOL_CONF " or of $YOKE_CONF,\n"
	 "or " TOOL_KEY ".  --force: generate replaces a file, retire asks nobody.\n",
	 "SFt", 1, 2, tool_key},
	{"disk", "init | show DEVICE",
	 "Make a shared disk for a lock or heartbeats, or show what is on it",
	 "\ninit writes a header, and an empty slot and post for each node, for an arbiter and a\n"
	 "path of type disk; run it once, on one node, while none runs.  What holds a file\n"
	 "system, a partition table or another cluster's slots is refused; --force overwrites\n"
	 "it, unless a node holds the lock on it just now.  Cluster and key are\n"
	 "those of " TOOL_CONF " or of the file in $YOKE_CONF.\n",
	 "F", 2, 2, tool_disk},
	{"serial-test", "[--baud RATE] [--rtscts] DEVICE",
	 "Test the cable of a serial line, from both ends at once",
	 "\nRun it on both nodes, at the same rate, while yoke does not use the line.  Says for "
	 "both\n"
	 "directions what was lost and damaged, and how long a round trip takes.  Exits with 0\n"
	 "when nothing was, 1 when something was or the line is not to be used, 4 when nothing\n"
	 "came within --timeout.\n",
	 "bct", 1, 1, tool_serial_test},
	{"replay", "FILE", "Run a flight recorder's file through the core and print the trace", "",
	 "", 1, 1, replay},
	{"version", "", "Print the version", "", "", 0, 0, version},
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

static void help(FILE *out)
{
	size_t i;

	fputs("usage: yoke [--socket PATH] VERB [ARGUMENTS]     ('yoke VERB --help' says more of "
	      "one)\n\n",
	      out);
	for (i = 0; i < VERB_COUNT; i++)
		fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\nexit codes: 0 ok, 1 refused or failed, 2 usage, 3 no engine, 4 timed out\n"
	      "files: " TOOL_SOCKET " (or --socket PATH, or $YOKE_SOCKET), " TOOL_CONF "\n"
	      "manuals: yoke(1), yoked(8), yoke.conf(5)\n",
	      out);
}

static int unknown(const char *name)
{
	const char *names[VERB_COUNT];
	const char *nearest;
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		names[i] = verbs[i].name;
	nearest = tool_text_nearest(name, names, VERB_COUNT);
	if (nearest != NULL)
		fprintf(stderr, "yoke: there is no '%s'; did you mean 'yoke %s'?\n", name, nearest);
	else
		fprintf(stderr, "yoke: there is no '%s': 'yoke --help' lists the verbs\n", name);
	return TOOL_USAGE;
}

static const struct tool_verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* --socket before the verb, where programs like to put it.  Returns how many arguments it took;
 * -1: its value is missing. */
static int socket_first(int argc, char **argv)
{
	static const char option[] = "--socket";
	size_t len = sizeof(option) - 1;

	if (argc < 2 || strncmp(argv[1], option, len) != 0)
		return 0;
	if (argv[1][len] == '=')
		return setenv("YOKE_SOCKET", argv[1] + len + 1, 1) == 0 ? 1 : -1;
	if (argv[1][len] != '\0')
		return 0;
	return argc > 2 && setenv("YOKE_SOCKET", argv[2], 1) == 0 ? 2 : -1;
}

int main(int argc, char **argv)
{
	const struct tool_verb *verb;
	struct tool_options options;
	int first, result, skipped = socket_first(argc, argv);

	setlocale(LC_TIME, "");
	signal(SIGPIPE, SIG_DFL);
	argc -= skipped > 0 ? skipped : 0;
	argv += skipped > 0 ? skipped : 0;
	if (argc < 2 || skipped < 0) {
		help(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return version(NULL, 0, NULL);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		verb = argc > 2 ? find(argv[2]) : NULL;
		if (verb != NULL)
			tool_options_help(verb);
		else
			help(stdout);
		return TOOL_OK;
	}
	verb = find(argv[1]);
	if (verb == NULL)
		return unknown(argv[1]);
	result = tool_options_read(verb, argc - 1, argv + 1, &options, &first);
	if (result != -1)
		return result;
	result = verb->run(&options, argc - 1 - first, argv + 1 + first);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("yoke: cannot write to standard output\n", stderr);
		return TOOL_FAILED;
	}
	return result;
}
