/* yoke config: is the other node's configuration the same as ours, and make it so. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/json_fields.h"
#include "conf/push.h"
#include "hb/seal.h"
#include "tools/client.h"
#include "tools/diff.h"
#include "tools/running.h"
#include "tools/transfer.h"

enum {
	SAME = 0,
	DIFFERENT = 1,
	TROUBLE = 2, /* of diff */
	LOOK_AGAIN_MS = 500,
};

static struct tool_client client;
static struct tool_transfer transfer;
static struct conf running, next, theirs;
static struct conf_problems problems;
static struct conf_change change;

/* Ours, and the other node's as it came last. */
static char file[TOOL_RUNNING_FILE_SIZE], text[CONF_TEXT_MAX + 1];
static size_t text_size;
static struct {
	char nonce[CONF_PUSH_NONCE_SIZE + 1];
	bool runs; /* yoked there goes by it */
	char file[CONF_PUSH_FILE_SIZE];
	char text[CONF_TEXT_MAX + 1];
	size_t size;
} other;

static int complain(const char *why)
{
	fprintf(stderr, "yoke: %s\n", why);
	return TOOL_FAILED;
}

/* ---- what there is ---- */

static int read_ours(void)
{
	FILE *in = fopen(file, "re");
	char why[CONF_FILE_SIZE + 64];

	text_size = in == NULL ? 0 : fread(text, 1, sizeof(text), in);
	if (in != NULL && ferror(in) == 0 && text_size <= CONF_TEXT_MAX) {
		fclose(in);
		text[text_size] = '\0';
		return TOOL_OK;
	}
	snprintf(why, sizeof(why), "cannot read %s: %s", file,
		 text_size > CONF_TEXT_MAX ? "it is too long" : strerror(errno));
	if (in != NULL)
		fclose(in);
	return complain(why);
}

/* The other node, by its name, or the only one.  Returns its number; 0 after it said why not. */
static uint16_t find_node(const char *name)
{
	const struct yoke_snapshot *s = &client.snapshot;
	uint16_t found = 0;

	for (uint16_t n = 1; n <= s->node_count; n++) {
		if (n == s->self || (name != NULL && strcmp(s->node[n - 1].name, name) != 0))
			continue;
		if (found != 0) {
			complain("there is more than one other node: say which");
			return 0;
		}
		found = n;
	}
	if (found == 0)
		complain(name == NULL ? "there is no other node"
				      : "that is no other node of the cluster");
	return found;
}

/* What came: a line with the nonce and a word, a line with the file's name, the file. */
static int take_theirs(void)
{
	const char *in = transfer.t.in, *end = in + transfer.t.in_size;
	const char *name = memchr(in, '\n', transfer.t.in_size);
	const char *body = name == NULL ? NULL : memchr(name + 1, '\n', (size_t)(end - name - 1));

	if (body == NULL || name - in <= CONF_PUSH_NONCE_SIZE + 1 ||
	    body - name - 1 >= CONF_PUSH_FILE_SIZE || end - body - 1 > CONF_TEXT_MAX)
		return complain("the other node's answer is not understood: are both yoked of "
				"the same version?");
	memcpy(other.nonce, in, CONF_PUSH_NONCE_SIZE);
	other.runs = strncmp(in + CONF_PUSH_NONCE_SIZE, " same\n", 6) == 0;
	snprintf(other.file, sizeof(other.file), "%.*s", (int)(body - name - 1), name + 1);
	yoke_json_tidy(other.file);
	other.size = (size_t)(end - body - 1);
	memcpy(other.text, body + 1, other.size);
	other.text[other.size] = '\0';
	return TOOL_OK;
}

/* The other node's words, line by line; some of them are made of what we sent. */
static void print_theirs(void)
{
	for (char *at = transfer.t.in; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		bool is_last = at[len] == '\0';

		at[len] = '\0';
		yoke_json_tidy(at);
		fprintf(stderr, "%s: %s\n", transfer.node, at);
		at += is_last ? len : len + 1;
	}
}

static int get_theirs(void)
{
	int result;

	transfer.what = "reading";
	tool_transfer_begin(&transfer, YOKE_PIECE_GET);
	result = tool_transfer_run(&transfer);
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	if (transfer.state == YOKE_PIECE_DONE)
		return take_theirs();
	if (transfer.state == YOKE_PIECE_REFUSED)
		print_theirs();
	return complain(transfer.state == YOKE_PIECE_REFUSED ? "it cannot read its file"
							     : "it broke off: try again");
}

static bool is_same(void)
{
	return other.size == text_size && memcmp(other.text, text, text_size) == 0;
}

/* Everything that both verbs begin with. */
static int look(const struct tool_options *options, const char *name)
{
	struct yoke_request request = {.kind = YOKE_REQUEST_STATUS};
	int result = tool_client_open(&client, options);
	uint16_t node;

	if (result == TOOL_OK)
		result = tool_client_ask(&client, &request);
	if (result != TOOL_OK)
		return tool_client_complain(&client, result);
	node = find_node(name);
	if (node == 0)
		return TOOL_FAILED;
	transfer.client = &client;
	transfer.options = options;
	transfer.node = client.snapshot.node[node - 1].name;
	result = tool_running_read(options->socket_path, &running, file);
	if (result == TOOL_OK)
		result = read_ours();
	return result;
}

/* ---- diff ---- */

static int make_diff(char **diff)
{
	char from[YOKE_NAME_SIZE + CONF_PUSH_FILE_SIZE], to[2 * CONF_FILE_SIZE],
		why[YOKE_REASON_SIZE];
	struct tool_diff_side sides[2] = {{from, other.text, other.size}, {to, text, text_size}};

	snprintf(from, sizeof(from), "%s:%s", transfer.node, other.file);
	snprintf(to, sizeof(to), "%s:%s", client.snapshot.node[client.snapshot.self - 1].name,
		 file);
	return tool_diff(&sides[0], &sides[1], diff, why) == 0 ? TOOL_OK : complain(why);
}

static void print_json_text(const char *key, const char *value)
{
	printf("\"%s\":\"", key);
	for (; *value != '\0'; value++)
		if (*value == '\n' || *value == '\t')
			printf("\\%c", *value == '\n' ? 'n' : 't');
		else if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else
			putchar(*value);
	putchar('"');
}

static int diff(const struct tool_options *options, const char *name)
{
	char *how = NULL;

	if (look(options, name) != TOOL_OK || get_theirs() != TOOL_OK || make_diff(&how) != TOOL_OK)
		return TROUBLE;
	if (options->json) {
		putchar('{');
		print_json_text("node", transfer.node);
		printf(",\"same\":%s,\"runs\":%s,", is_same() ? "true" : "false",
		       other.runs ? "true" : "false");
		print_json_text("diff", how);
		puts("}");
	} else {
		fputs(how, stdout);
		if (!other.runs)
			fprintf(stderr,
				"yoke: yoked on %s does not go by its file: 'yoke reload' "
				"there\n",
				transfer.node);
	}
	free(how);
	return is_same() ? SAME : DIFFERENT;
}

/* ---- push ---- */

/* What will be stopped there or not taken, as far as we can tell: it decides by itself. */
static void print_ends(void)
{
	char why[YOKE_REASON_SIZE];
	int self;

	if (!other.runs)
		fprintf(stderr,
			"yoke: yoked on %s does not go by its file yet: more may change there "
			"than is listed\n",
			transfer.node);
	if (conf_parse(other.text, other.file, &theirs, &problems) < 0)
		return;
	self = conf_self(&theirs, transfer.node, why);
	if (self < 0)
		return;
	conf_change(&theirs, &next, (unsigned)self, &change);
	for (unsigned i = 0; i < change.refusal_count; i++)
		fprintf(stderr, "yoke: %s would not take it: %s\n", transfer.node,
			change.refusal[i]);
	tool_running_print(&theirs, &next, &change);
}

/* The line that a PUT begins with. */
static int seal(void)
{
	static uint8_t sealed[CONF_PUSH_SEALED_SIZE];
	struct conf_push push = {other.nonce, transfer.node, other.text,
				 other.size,  text,          text_size};
	size_t size = conf_push_sealed(&push, sealed);
	char key_file[CONF_FILE_SIZE + 16], why[CONF_PROBLEM_SIZE];
	struct conf_keys keys;
	uint8_t mac[HB_MAC_SIZE];
	bool ok;

	conf_push_key_file(&running, key_file);
	if (conf_keys_load(key_file, &keys, why) < 0) {
		complain(why);
		fprintf(stderr,
			"yoke: a push is sealed by a key of its own, which yoked's engine never "
			"has: 'yoke key generate %s' on one node, and copy it to the other as the "
			"cluster's\n",
			key_file);
		return TOOL_FAILED;
	}
	ok = size > 0 &&
	     hb_seal_mac(keys.key[keys.count - 1].bytes, CONF_PUSH_LABEL, sealed, size, mac);
	explicit_bzero(&keys, sizeof(keys));
	for (size_t i = 0; i < HB_MAC_SIZE; i++)
		snprintf(transfer.t.out + 2 * i, 3, "%02x", mac[i]);
	return ok ? TOOL_OK : complain("the crypto library fails");
}

static bool is_agreed(const struct tool_options *options)
{
	char question[256];
	const char *path = "?";
	int64_t ms =
		tool_transfer_ms(&transfer, (uint32_t)text_size + CONF_PUSH_SEAL_SIZE + 1, &path);

	if (ms < 0)
		return complain("the other node is not in contact any more") == TOOL_OK;
	snprintf(question, sizeof(question), "push %zu bytes to %s over the path %s: about %lld s",
		 text_size, transfer.node, path, (long long)((ms + 999) / 1000));
	if (options->yes)
		puts(question);
	fflush(stdout);
	snprintf(question + strlen(question), sizeof(question) - strlen(question), "; go on?");
	return tool_running_agreed(options, question, "the other node may get this");
}

static int send_ours(void)
{
	int result;

	transfer.what = "sending";
	tool_transfer_begin(&transfer, YOKE_PIECE_PUT);
	result = seal();
	if (result != TOOL_OK)
		return result;
	transfer.t.out[CONF_PUSH_SEAL_SIZE] = '\n';
	memcpy(transfer.t.out + CONF_PUSH_SEAL_SIZE + 1, text, text_size);
	transfer.t.out_size = (uint32_t)text_size + CONF_PUSH_SEAL_SIZE + 1;
	result = tool_transfer_run(&transfer);
	if (result != TOOL_OK) {
		tool_client_complain(&client, result);
		complain(transfer.sent_whole
				 ? "it broke off: it is not known whether it was taken: look with "
				   "'yoke config diff'"
				 : "it broke off: nothing was changed on the other node");
	}
	return result;
}

/* yoked there goes on as another process, which knows nothing of us: is it by the file?  It may not
 * have come so far. */
static int verify(const struct tool_options *options)
{
	int64_t until_ms = tool_client_now_ms() + (int64_t)options->timeout_s * 1000;
	int result;

	while ((result = get_theirs()) == TOOL_OK && is_same() && !other.runs &&
	       tool_client_now_ms() < until_ms)
		poll(NULL, 0, LOOK_AGAIN_MS);
	if (result != TOOL_OK)
		return result;
	if (!is_same())
		return complain("it was not taken, or broke off: the other node has not this file");
	if (!other.runs)
		return complain("the other node has the file, and yoked there does not go by it "
				"yet: 'yoke reload' there");
	return TOOL_OK;
}

static int say_done(bool had_it)
{
	char why[YOKE_REASON_SIZE];
	int self = conf_self(&running, client.snapshot.node[client.snapshot.self - 1].name, why);

	if (had_it)
		printf("%s goes by it now\n", transfer.node);
	else
		printf("%s goes by it now; its old file is %s.old\n", transfer.node, other.file);
	if (self < 0)
		return TOOL_OK;
	conf_change(&running, &next, (unsigned)self, &change);
	if (change.any)
		puts("this node does not yet: 'yoke reload' here");
	return TOOL_OK;
}

static int push(const struct tool_options *options, const char *name)
{
	char *how = NULL;
	int result = look(options, name);
	bool had_it;

	if (result == TOOL_OK)
		result = tool_running_check(file, text, &next);
	if (result == TOOL_OK)
		result = get_theirs();
	if (result == TOOL_OK && is_same() && other.runs) {
		printf("%s has the same file, and goes by it\n", transfer.node);
		return TOOL_OK;
	}
	if (result == TOOL_OK)
		result = make_diff(&how);
	if (result != TOOL_OK)
		return result;
	fputs(how, stdout);
	free(how);
	print_ends();
	had_it = is_same();
	if (!is_agreed(options))
		return TOOL_FAILED;
	result = send_ours();
	if (result != TOOL_OK)
		return result;
	if (transfer.state != YOKE_PIECE_UNKNOWN)
		print_theirs();
	if (transfer.state == YOKE_PIECE_REFUSED)
		return TOOL_FAILED; /* with what it has made of its file */
	if (transfer.state == YOKE_PIECE_UNKNOWN)
		result = verify(options);
	return result == TOOL_OK ? say_done(had_it) : result;
}

int tool_config(const struct tool_options *options, int argc, char **argv)
{
	const char *node = argc > 1 ? argv[1] : NULL;

	if (strcmp(argv[0], "diff") == 0)
		return diff(options, node);
	if (strcmp(argv[0], "push") == 0 && !options->json)
		return push(options, node);
	fputs("yoke: 'yoke config diff [--json]' or 'yoke config push [--yes]'\n", stderr);
	return TOOL_USAGE;
}
