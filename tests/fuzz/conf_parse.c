/* Any bytes as a configuration: no crash, no leak, and what is accepted prints and parses to the
 * same. */
#include <assert.h>
#include <stdint.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The accepted configuration survives being printed, and its bounds can be told. */
static void check_round_trip(struct conf *conf)
{
	static struct conf again;
	struct conf_problems problems;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert(out != NULL);
	conf_print(conf, out);
	fclose(out);
	assert(conf_parse(text, "printed", &again, &problems) == 0);
	conf_digest(conf);
	conf_digest(&again);
	assert(memcmp(conf->digest, again.digest, sizeof(again.digest)) == 0);
	for (unsigned i = 0; i < conf->group_count; i++) {
		assert(conf_bound_lease(conf, &conf->group[i]).total_ms >=
		       conf_stop_bound_ms(conf));
		assert(conf_bound_fence(conf, &conf->group[i]).total_ms >=
		       conf_bound_silence(conf, &conf->group[i]).total_ms);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct conf conf;
	struct conf_problems problems;
	char *text = malloc(size + 1);

	assert(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (conf_parse(text, "fuzz", &conf, &problems) == 0)
		check_round_trip(&conf);
	else
		assert(problems.errors > 0 && problems.count > 0);
	assert(problems.count <= CONF_PROBLEMS_MAX);
	for (unsigned i = 0; i < problems.count; i++) {
		assert(problems.problem[i].text[0] != '\0');
		assert(i == 0 || problems.problem[i - 1].line <= problems.problem[i].line);
		/* What is printed for people holds no byte that a terminal would act on. */
		for (const char *p = problems.problem[i].text; *p != '\0'; p++)
			assert(*p >= ' ' && *p < 0x7f);
	}
	free(text);
	return 0;
}
