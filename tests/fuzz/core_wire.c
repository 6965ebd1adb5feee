/* Fuzz what the core does with what a node tells, and with the record that it saved itself.  The
 * seeds in tests/fuzz/core_wire have a genuine state, a beat and a record.  The first byte says:
 *   bit 0  to whom: the node that owns the groups, or the other one
 *   bit 1  it has lost the other node, which is heard again with this
 *   bit 2  set: the rest is the record that its engine starts with
 *          else: messages, each u16 size and so many bytes, the last one as many as there are
 * Whatever comes, the core stays whole (core_check(), after each step), it saves a record that it
 * can read, and what it tells then is understood by the other node, which is sound, unless that has
 * said that it leaves. */
#include "tests/unit/core_pair.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GAP_MS = 40, REST_MS = 1500 };

static struct pair formed, pair;
static struct core again;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void form(void)
{
	pair_init(&formed);
	pair_two_groups(&formed, "web", "mail");
	for (uint16_t n = ALPHA; n <= BETA; n++) {
		pair_group_conf(&formed, n, 1)->exclusive = true;
		formed.conf[n - 1].lease_ms = 2 * PAIR_DEAD_MS;
	}
	pair_meet(&formed);
	pair_beat(&formed, REST_MS);
	for (uint16_t g = 1; g <= 2; g++)
		expect(pair_group(&formed, ALPHA, g) == YOKE_GROUP_STARTED);
	expect(formed.record_size[0] > 0 && formed.record_size[1] > 0);
	formed.events[0] = formed.events[1] = 0;
}

static void tell(uint16_t to, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		len = len < YOKE_MESSAGE_SIZE ? len : YOKE_MESSAGE_SIZE;
		pair_message(&pair, to, pair.conf[2 - to].incarnation, data, len);
		pair_run(&pair, GAP_MS);
		data += len;
		size -= len;
	}
}

static void restart(uint16_t node, const uint8_t *data, size_t size)
{
	size = size < YOKE_RECORD_SIZE ? size : YOKE_RECORD_SIZE;
	memcpy(pair.record[node - 1], data, size);
	pair.record_size[node - 1] = (uint16_t)size;
	memset(pair.run[node - 1], 0, sizeof(pair.run[0]));
	pair_start(&pair, node);
	pair_paths(&pair, YOKE_PATH_UP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t node, other;

	if (formed.now.us == 0)
		form();
	if (size == 0)
		return 0;
	node = (data[0] & 1) != 0 ? BETA : ALPHA;
	other = node == ALPHA ? BETA : ALPHA;
	pair = formed;
	pair.wire = false;
	if ((data[0] & 2) != 0)
		pair_silence(&pair, node);
	if ((data[0] & 4) != 0)
		restart(node, data + 1, size - 1);
	else
		tell(node, data + 1, size - 1);
	pair.wire = true;
	pair_paths(&pair, YOKE_PATH_UP);
	pair_beat(&pair, REST_MS);
	expect(pair_node(&pair, node, other) == YOKE_NODE_LEFT ||
	       pair_core(&pair, other)->node[node - 1].told == pair_core(&pair, node)->version);
	core_init(&again, &pair.conf[node - 1], pair.record[node - 1], pair.record_size[node - 1],
		  NULL, pair.now);
	expect(strcmp(again.hold, "its bytes are damaged") != 0);
	return 0;
}
