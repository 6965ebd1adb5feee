#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json.h"
#include "tools/client.h"
#include "tools/text.h"
#include "tools/tool.h"

enum { LOOK_MS = 250, AGAIN_MS = 50 };

struct task {
	const struct tool_options *options;
	struct yoke_request request;
	uint32_t operation;
	uint64_t after; /* the last event before it */
	int64_t started_ms, deadline_ms;
	bool reconnected;
	char what[128]; /* "switch web to beta" */
};

static struct tool_client client;

/* Who asks: for the history only, the engine trusts the socket's credentials. */
static void by(char *name)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0')
		snprintf(name, YOKE_NAME_SIZE, "%.31s", sudo);
	else if (user != NULL)
		snprintf(name, YOKE_NAME_SIZE, "%.31s", user->pw_name);
	else
		snprintf(name, YOKE_NAME_SIZE, "user %u", (unsigned)getuid());
}

static int refused(const char *what, enum yoke_verdict verdict)
{
	fprintf(stderr, "yoke: %s was refused (%s): %s\n", what, yoke_word_verdict(verdict),
		yoke_verdict_advice(verdict));
	return TOOL_FAILED;
}

/* "did you mean": after an unknown group or node. */
static void suggest(const struct task *task, enum yoke_verdict verdict)
{
	const struct yoke_snapshot *s = &client.snapshot;
	const char *names[YOKE_GROUPS_MAX], *nearest;
	unsigned i, count = 0;

	for (i = 0; verdict == YOKE_E_NO_GROUP && i < s->group_count; i++)
		names[count++] = s->group[i].name;
	for (i = 0; verdict == YOKE_E_NO_NODE && i < s->node_count; i++)
		names[count++] = s->node[i].name;
	nearest = tool_text_nearest(verdict == YOKE_E_NO_GROUP ? task->request.group
							       : task->request.node,
				    names, count);
	if (nearest != NULL)
		fprintf(stderr, "did you mean '%s'?\n", nearest);
}

static int finished(const struct task *task, bool succeeded, const char *reason)
{
	long long elapsed_ms = (long long)(tool_client_now_ms() - task->started_ms);
	FILE *out = succeeded ? stdout : stderr;

	if (task->options->json)
		return succeeded ? TOOL_OK : TOOL_FAILED;
	fprintf(out, "%s%s %s %lld ms%s%s\n", succeeded ? "" : "yoke: ", task->what,
		succeeded ? "succeeded in" : "failed after", elapsed_ms,
		reason[0] != '\0' ? ": " : "", reason);
	return succeeded ? TOOL_OK : TOOL_FAILED;
}

/* Is the outcome in the answer to the last pull?  Returns an exit code, or -1. */
static int outcome(struct task *task)
{
	const struct yoke_snapshot *s = &client.snapshot;
	const struct yoke_answer *answer = &client.answer;
	bool known = false;
	unsigned i;

	for (i = 0; i < answer->event_count; i++) {
		const struct yoke_event *ev = &answer->event[i];

		task->after = ev->seq;
		if (ev->value == task->operation && (ev->kind == YOKE_EVENT_OPERATION_SUCCEEDED ||
						     ev->kind == YOKE_EVENT_OPERATION_FAILED))
			return finished(task, ev->kind == YOKE_EVENT_OPERATION_SUCCEEDED,
					ev->reason);
	}
	for (i = 0; i < s->operation_count; i++) {
		const struct yoke_snapshot_operation *o = &s->operation[i];

		if (o->number != task->operation)
			continue;
		known = true;
		if (o->state == YOKE_OPERATION_SUCCEEDED || o->state == YOKE_OPERATION_FAILED)
			return finished(task, o->state == YOKE_OPERATION_SUCCEEDED, o->reason);
	}
	if (known || !task->reconnected || answer->event_count > 0)
		return -1;
	fprintf(stderr,
		"yoke: the engine was restarted during the operation and does not know it any "
		"more: 'yoke status' shows what came of it\n");
	return TOOL_FAILED;
}

/* The connection is lost: the keeper starts the engine again.  Returns an exit code. */
static int reconnect(struct task *task)
{
	static const struct yoke_request subscribe = {.kind = YOKE_REQUEST_SUBSCRIBE};
	int result;

	tool_client_close(&client);
	task->reconnected = true;
	for (;;) {
		result = tool_client_open(&client, task->options);
		if (result == TOOL_OK)
			result = tool_client_ask(&client, &subscribe);
		if (result != TOOL_NO_ENGINE || tool_client_now_ms() >= task->deadline_ms)
			return result;
		poll(NULL, 0, AGAIN_MS);
	}
}

static int wait_outcome(struct task *task)
{
	for (;;) {
		struct yoke_request request = {.kind = YOKE_REQUEST_PULL, .after = task->after};
		int result = tool_client_ask(&client, &request);
		int64_t left_ms = task->deadline_ms - tool_client_now_ms();
		int end;

		if (result == TOOL_OK) {
			end = outcome(task);
			if (end != -1)
				return end;
			if (left_ms <= 0)
				break;
			result = tool_client_wait(&client, left_ms < LOOK_MS ? left_ms : LOOK_MS);
		}
		if (result == TOOL_NO_ENGINE)
			result = reconnect(task);
		if (result != TOOL_OK)
			return tool_client_complain(&client, result);
	}
	fprintf(stderr,
		"yoke: no outcome of operation %u (%s) within %u s: it may still happen, see 'yoke "
		"history'\n",
		task->operation, task->what, task->options->timeout_s);
	return TOOL_TIMED_OUT;
}

/* Does it mean this node when no other is named? */
static bool is_of_a_node(enum yoke_verb verb)
{
	return verb == YOKE_VERB_STANDBY || verb == YOKE_VERB_ONLINE;
}

/* Connect, learn the names and the last event, and subscribe before anything can happen. */
static int prepare(struct task *task)
{
	static const struct yoke_request status = {.kind = YOKE_REQUEST_STATUS};
	static const struct yoke_request subscribe = {.kind = YOKE_REQUEST_SUBSCRIBE};
	const struct yoke_snapshot *s = &client.snapshot;
	int result = tool_client_open(&client, task->options);

	if (result == TOOL_OK)
		result = tool_client_ask(&client, &status);
	if (result == TOOL_OK) {
		task->after = s->last_event;
		if (task->request.node[0] == '\0' && is_of_a_node(task->request.verb) &&
		    s->self >= 1 && s->self <= s->node_count)
			memcpy(task->request.node, s->node[s->self - 1].name, YOKE_NAME_SIZE);
		result = tool_client_ask(&client, &subscribe);
	}
	return result == TOOL_OK ? TOOL_OK : tool_client_complain(&client, result);
}

static void describe(struct task *task)
{
	const struct yoke_request *r = &task->request;

	const char *all = "";

	if (r->group[0] == '\0' && r->node[0] == '\0')
		all = r->verb == YOKE_VERB_FAILBACK ? "of all groups" : "of the cluster";
	snprintf(task->what, sizeof(task->what), "%s %s%s%s%s", yoke_word_verb(r->verb), all,
		 r->group, r->group[0] != '\0' && r->node[0] != '\0' ? " to " : "", r->node);
}

static int operate(struct task *task)
{
	int result = prepare(task);

	if (result != TOOL_OK)
		return result;
	describe(task);
	task->started_ms = tool_client_now_ms();
	task->deadline_ms = task->started_ms + (int64_t)task->options->timeout_s * 1000;
	result = tool_client_ask(&client, &task->request);
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	if (task->options->json)
		puts(client.line);
	if (client.answer.verdict != YOKE_OK) {
		if (task->options->json)
			return TOOL_FAILED;
		refused(task->what, client.answer.verdict);
		suggest(task, client.answer.verdict);
		return TOOL_FAILED;
	}
	task->operation = client.answer.operation;
	if (!task->options->no_wait)
		return wait_outcome(task);
	if (!task->options->json)
		printf("%s: operation %u was started\n", task->what, task->operation);
	return TOOL_OK;
}

/* A name that is too long for any is not sent. */
static int name(char *place, const char *given, const char *kind)
{
	if (given == NULL)
		return TOOL_OK;
	if (given[0] == '\0' || strlen(given) >= YOKE_NAME_SIZE) {
		fprintf(stderr, "yoke: '%s' is not the name of a %s: 'yoke status' lists them\n",
			given, kind);
		return TOOL_USAGE;
	}
	snprintf(place, YOKE_NAME_SIZE, "%s", given);
	return TOOL_OK;
}

static int run(const struct tool_options *options, enum yoke_verb verb, const char *group,
	       const char *node)
{
	struct task task = {.options = options};

	task.request.kind = YOKE_REQUEST_OPERATE;
	task.request.verb = verb;
	if (name(task.request.group, group, "group") != TOOL_OK ||
	    name(task.request.node, node, "node") != TOOL_OK)
		return TOOL_USAGE;
	if (options->by != NULL)
		snprintf(task.request.by, YOKE_NAME_SIZE, "%s", options->by);
	else
		by(task.request.by);
	snprintf(task.request.reason, YOKE_REASON_SIZE, "%s%s%s%s",
		 options->ticket != NULL ? "ticket " : "",
		 options->ticket != NULL ? options->ticket : "",
		 options->ticket != NULL && options->reason != NULL ? ": " : "",
		 options->reason != NULL ? options->reason : "");
	return operate(&task);
}

int tool_switch(const struct tool_options *options, int argc, char **argv)
{
	(void)argc;
	return run(options, YOKE_VERB_SWITCH, argv[0], argv[1]);
}

int tool_failback(const struct tool_options *options, int argc, char **argv)
{
	return run(options, YOKE_VERB_FAILBACK, argc > 0 ? argv[0] : NULL, NULL);
}

int tool_standby(const struct tool_options *options, int argc, char **argv)
{
	return run(options, YOKE_VERB_STANDBY, NULL, argc > 0 ? argv[0] : NULL);
}

int tool_online(const struct tool_options *options, int argc, char **argv)
{
	return run(options, YOKE_VERB_ONLINE, NULL, argc > 0 ? argv[0] : NULL);
}

int tool_confirm_down(const struct tool_options *options, int argc, char **argv)
{
	(void)argc;
	return run(options, YOKE_VERB_CONFIRM_DOWN, NULL, argv[0]);
}

/* [group NAME | node NAME]; nothing: the cluster. */
static int rest(const struct tool_options *options, enum yoke_verb verb, int argc, char **argv)
{
	if (argc == 0)
		return run(options, verb, NULL, NULL);
	if (argc == 2 && strcmp(argv[0], "group") == 0)
		return run(options, verb, argv[1], NULL);
	if (argc == 2 && strcmp(argv[0], "node") == 0)
		return run(options, verb, NULL, argv[1]);
	fprintf(stderr,
		"yoke: say 'group NAME' or 'node NAME', or nothing for the whole cluster\n");
	return TOOL_USAGE;
}

int tool_maintenance(const struct tool_options *options, int argc, char **argv)
{
	return rest(options, YOKE_VERB_MAINTENANCE, argc, argv);
}

int tool_resume(const struct tool_options *options, int argc, char **argv)
{
	return rest(options, YOKE_VERB_RESUME, argc, argv);
}
