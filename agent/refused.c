#include "agent/refused.h"

#include <stdio.h>
#include <string.h>

static const char *const cause_text[HB_REFUSALS] = {
	[HB_REFUSED_LENGTH] = "length",   [HB_REFUSED_VERSION] = "protocol version",
	[HB_REFUSED_CLUSTER] = "cluster", [HB_REFUSED_SENDER] = "sender",
	[HB_REFUSED_KEY] = "key id",      [HB_REFUSED_SEAL] = "forged or wrong key",
	[HB_REFUSED_REPLAY] = "replayed",
};

static uint64_t sum_of(const uint64_t count[HB_REFUSALS])
{
	uint64_t sum = 0;

	for (int r = 0; r < HB_REFUSALS; r++)
		sum += count[r];
	return sum;
}

/* What came on a path in this minute waits to be told, if it is an alarm. */
static void count_path(struct agent_refused *refused, const struct hb *hb, unsigned node,
		       unsigned path)
{
	const uint64_t *total = hb_path_of(hb, (uint16_t)(node + 1), (uint16_t)(path + 1))->refused;
	uint64_t fresh[HB_REFUSALS];

	for (int r = 0; r < HB_REFUSALS; r++)
		fresh[r] = total[r] - refused->seen[node][path][r];
	memcpy(refused->seen[node][path], total, sizeof(fresh));
	if (sum_of(fresh) >= AGENT_REFUSED_ALARM)
		memcpy(refused->waiting[node][path], fresh, sizeof(fresh));
}

/* By cause, as many as there is room for: no number is cut. */
static void tell_causes(const uint64_t count[HB_REFUSALS], char reason[YOKE_REASON_SIZE])
{
	size_t used = 0;

	reason[0] = '\0';
	for (int r = 0; r < HB_REFUSALS; r++) {
		char one[64];
		int size = snprintf(one, sizeof(one), "%s%s %llu", used > 0 ? ", " : "",
				    cause_text[r], (unsigned long long)count[r]);

		if (count[r] == 0 || used + (size_t)size >= YOKE_REASON_SIZE)
			continue;
		memcpy(reason + used, one, (size_t)size + 1);
		used += (size_t)size;
	}
}

bool agent_refused_minute(struct agent_refused *refused, const struct hb *hb, struct yoke_event *ev)
{
	for (unsigned node = 0; node < hb->conf.node_count; node++)
		for (unsigned path = 0; path < hb->conf.path_count; path++)
			count_path(refused, hb, node, path);
	/* In turn: the worst one first would leave the others untold as long as it lasts. */
	for (unsigned i = 1; i <= YOKE_NODES_MAX * YOKE_PATHS_MAX; i++) {
		unsigned at = (refused->told + i) % (YOKE_NODES_MAX * YOKE_PATHS_MAX);
		uint64_t *count = refused->waiting[at / YOKE_PATHS_MAX][at % YOKE_PATHS_MAX];

		ev->value = sum_of(count);
		if (ev->value == 0)
			continue;
		ev->path = (uint16_t)(at % YOKE_PATHS_MAX + 1);
		tell_causes(count, ev->reason);
		memset(count, 0, sizeof(refused->waiting[0][0]));
		refused->told = at;
		return true;
	}
	return false;
}
