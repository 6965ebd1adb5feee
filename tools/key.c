/* yoke key: the cluster's keys, in their file and in the running engine. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "conf/conf.h"
#include "tools/client.h"
#include "tools/text.h"
#include "tools/tool.h"

enum { LOOK_AGAIN_MS = 50 };

static struct conf conf;
static struct conf_problems problems;
static struct tool_client client;

static int complain(const char *why)
{
	fprintf(stderr, "yoke: %s\n", why);
	return TOOL_FAILED;
}

/* As given, as configured, or where it is by default. */
static const char *file_of(int argc, char **argv)
{
	const char *name = getenv("YOKE_CONF") != NULL ? getenv("YOKE_CONF") : TOOL_CONF;

	if (argc > 1)
		return argv[1];
	return conf_load(name, &conf, &problems) == 0 ? conf.key_file : TOOL_KEY;
}

/* ---- the engine ---- */

/* Have the engine read the file again, and wait until it has. */
static int read_again(const struct tool_options *options)
{
	int64_t until_ms = tool_client_now_ms() + (int64_t)options->timeout_s * 1000;
	int result = tool_client_demand(&client, YOKE_REQUEST_STATUS);
	uint32_t before = client.snapshot.key_reads;

	if (result == TOOL_OK)
		result = tool_client_demand(&client, YOKE_REQUEST_KEYS);
	while (result == TOOL_OK && client.snapshot.key_reads == before) {
		if (tool_client_now_ms() >= until_ms) {
			fputs("yoke: yoked did not read the key file in time\n", stderr);
			return TOOL_TIMED_OUT;
		}
		poll(NULL, 0, LOOK_AGAIN_MS);
		result = tool_client_demand(&client, YOKE_REQUEST_STATUS);
	}
	if (result == TOOL_OK && client.snapshot.key_reason[0] != '\0')
		return complain(client.snapshot.key_reason);
	return result;
}

static const struct yoke_snapshot_key *key_in(const struct yoke_snapshot *s, uint8_t id)
{
	for (unsigned i = 0; i < s->key_count; i++)
		if (s->key[i].id == id)
			return &s->key[i];
	return NULL;
}

/* ---- the verbs ---- */

static int generate(const struct tool_options *options, const char *file)
{
	struct conf_keys keys = {.count = 0};
	char why[CONF_PROBLEM_SIZE];
	int rc = conf_keys_add(&keys, why);

	if (rc == 0)
		rc = conf_keys_write(file, &keys, options->force, why);
	explicit_bzero(&keys, sizeof(keys));
	if (rc != 0)
		return complain(why);
	printf("wrote a new key to %s: copy it to the other node, for instance with scp -p\n",
	       file);
	return TOOL_OK;
}

static void print_key(const struct conf_key *key, const struct yoke_snapshot_key *used,
		      bool has_engine)
{
	char made[16] = "";
	time_t at = (time_t)key->made_s;
	struct tm tm;

	if (at != 0 && gmtime_r(&at, &tm) != NULL)
		strftime(made, sizeof(made), "%Y-%m-%d", &tm);
	printf("key %u", key->id);
	if (made[0] != '\0')
		printf(", made %s, %lld days old", made,
		       (long long)(time(NULL) - at) / (24 * 60 * 60));
	if (!has_engine)
		printf("\n");
	else if (used == NULL)
		printf(": yoked does not use it: 'yoke key reload'\n");
	else
		printf(": %s%s%s%s\n", used->seals ? "seals what is sent here" : "not sent with",
		       used->shown ? ", the other node has it" : "",
		       used->opens ? ", the other node seals with it" : "",
		       used->arbiters ? ", a witness or disk goes by it" : "");
}

/* Numbers and ages only. */
static int list(const struct tool_options *options, const char *file)
{
	struct conf_keys keys;
	char why[CONF_PROBLEM_SIZE];
	bool has_engine;

	if (conf_keys_load(file, &keys, why) != 0)
		return complain(why);
	has_engine = tool_client_open(&client, options) == TOOL_OK &&
		     tool_client_demand(&client, YOKE_REQUEST_STATUS) == TOOL_OK;
	for (unsigned i = 0; i < keys.count; i++)
		print_key(&keys.key[i],
			  has_engine ? key_in(&client.snapshot, keys.key[i].id) : NULL, has_engine);
	explicit_bzero(&keys, sizeof(keys));
	return TOOL_OK;
}

static int rotate(const struct tool_options *options, const char *file)
{
	struct conf_keys keys;
	char why[CONF_PROBLEM_SIZE];
	unsigned id = 0;
	int rc = conf_keys_load(file, &keys, why);

	if (rc == 0)
		rc = conf_keys_add(&keys, why);
	if (rc == 0) {
		id = keys.key[keys.count - 1].id;
		rc = conf_keys_write(file, &keys, true, why);
	}
	explicit_bzero(&keys, sizeof(keys));
	if (rc != 0)
		return complain(why);
	printf("key %u is in %s, beside the one before it\n", id, file);
	if (tool_client_open(&client, options) != TOOL_OK) {
		printf("no yoked runs here: it will read it when it starts\n");
	} else {
		rc = read_again(options);
		if (rc != TOOL_OK)
			return rc;
		printf("yoked takes what is sealed with either\n");
	}
	printf("next: copy the file to the other node (scp -p) and to every witness, and run "
	       "'yoke key reload'\nthere; then, on both nodes, 'yoke key retire'\n");
	return TOOL_OK;
}

/* Why the older key is still needed; 0: it is not. */
static int needed(const struct tool_options *options, const struct conf_keys *keys)
{
	const struct yoke_snapshot_key *older, *newer;
	unsigned old_id = keys->key[0].id, new_id = keys->key[1].id;
	char why[CONF_PROBLEM_SIZE] = "";
	int result = tool_client_open(&client, options);

	if (result == TOOL_OK)
		result = tool_client_demand(&client, YOKE_REQUEST_STATUS);
	else
		tool_client_complain(&client, result);
	if (result != TOOL_OK) {
		fputs("yoke: nobody can tell whether the other node needs the older key; --force "
		      "drops it nevertheless\n",
		      stderr);
		return result;
	}
	older = key_in(&client.snapshot, keys->key[0].id);
	newer = key_in(&client.snapshot, keys->key[1].id);
	if (newer == NULL)
		snprintf(why, sizeof(why), "yoked here does not use key %u yet: 'yoke key reload'",
			 new_id);
	else if (!newer->shown)
		snprintf(
			why, sizeof(why),
			"the other node has not shown that it has key %u: copy the file there, and "
			"run 'yoke key reload' there",
			new_id);
	else if (older != NULL && (older->opens || older->seals))
		snprintf(why, sizeof(why), "key %u still seals frames: try again in a moment",
			 old_id);
	else if (older != NULL && older->arbiters)
		snprintf(why, sizeof(why),
			 "a witness or a shared disk still goes by key %u: give every witness the "
			 "file; a disk follows with its next test",
			 old_id);
	return why[0] != '\0' ? complain(why) : TOOL_OK;
}

static int retire(const struct tool_options *options, const char *file)
{
	struct conf_keys keys, before;
	char why[CONF_PROBLEM_SIZE];
	unsigned old_id;
	int result;

	if (conf_keys_load(file, &keys, why) != 0)
		return complain(why);
	if (keys.count < 2) {
		explicit_bzero(&keys, sizeof(keys));
		return complain("there is one key only: 'yoke key rotate' adds a new one");
	}
	old_id = keys.key[0].id;
	before = keys;
	result = options->force ? TOOL_OK : needed(options, &keys);
	conf_keys_drop(&keys);
	if (result == TOOL_OK && conf_keys_write(file, &keys, true, why) != 0)
		result = complain(why);
	else if (result == TOOL_OK && !options->force) {
		result = read_again(options);
		if (result != TOOL_OK && conf_keys_write(file, &before, true, why) != 0)
			complain(why);
	}
	explicit_bzero(&keys, sizeof(keys));
	explicit_bzero(&before, sizeof(before));
	if (result == TOOL_OK)
		printf("key %u is no longer in %s%s\n", old_id, file,
		       options->force ? ": 'yoke key reload' has yoked forget it" : "");
	return result;
}

static int reload(const struct tool_options *options)
{
	int result = tool_client_open(&client, options);

	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	result = read_again(options);
	if (result == TOOL_OK)
		printf("yoked has read the key file: %u key%s\n", client.snapshot.key_count,
		       client.snapshot.key_count == 1 ? "" : "s");
	return result;
}

int tool_key(const struct tool_options *options, int argc, char **argv)
{
	static const char *const names[] = {"generate", "list", "rotate", "retire", "reload"};
	const char *nearest;

	prctl(PR_SET_DUMPABLE, 0); /* keys are in here */
	if (strcmp(argv[0], "generate") == 0)
		return generate(options, argc > 1 ? argv[1] : TOOL_KEY);
	if (strcmp(argv[0], "list") == 0)
		return list(options, file_of(argc, argv));
	if (strcmp(argv[0], "rotate") == 0)
		return rotate(options, file_of(argc, argv));
	if (strcmp(argv[0], "retire") == 0)
		return retire(options, file_of(argc, argv));
	if (strcmp(argv[0], "reload") == 0 && argc == 1)
		return reload(options);
	nearest = tool_text_nearest(argv[0], names, sizeof(names) / sizeof(names[0]));
	fprintf(stderr, "yoke: there is no 'key %s'; did you mean 'yoke key %s'?\n", argv[0],
		nearest != NULL ? nearest : "list");
	return TOOL_USAGE;
}
