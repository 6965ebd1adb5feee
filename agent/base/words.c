#include "agent/base/words.h"

#include <string.h>

#define YOKE_CASE(name, number, word)                                                              \
	case name:                                                                                 \
		return word;

#define YOKE_WORD_FUNCTION(function, table)                                                        \
	const char *function(int number)                                                           \
	{                                                                                          \
		switch (number) {                                                                  \
			table(YOKE_CASE) default : return "?";                                     \
		}                                                                                  \
	}

YOKE_WORD_FUNCTION(yoke_word_node_state, YOKE_WORDS_NODE_STATE)
YOKE_WORD_FUNCTION(yoke_word_path_state, YOKE_WORDS_PATH_STATE)
YOKE_WORD_FUNCTION(yoke_word_path_type, YOKE_WORDS_PATH_TYPE)
YOKE_WORD_FUNCTION(yoke_word_path_role, YOKE_WORDS_PATH_ROLE)
YOKE_WORD_FUNCTION(yoke_word_group_state, YOKE_WORDS_GROUP_STATE)
YOKE_WORD_FUNCTION(yoke_word_resource_state, YOKE_WORDS_RESOURCE_STATE)
YOKE_WORD_FUNCTION(yoke_word_resource_type, YOKE_WORDS_RESOURCE_TYPE)
YOKE_WORD_FUNCTION(yoke_word_condition, YOKE_WORDS_CONDITION)
YOKE_WORD_FUNCTION(yoke_word_severity, YOKE_WORDS_SEVERITY)
YOKE_WORD_FUNCTION(yoke_word_arbiter_type, YOKE_WORDS_ARBITER_TYPE)
YOKE_WORD_FUNCTION(yoke_word_arbiter_state, YOKE_WORDS_ARBITER_STATE)
YOKE_WORD_FUNCTION(yoke_word_verb, YOKE_WORDS_VERB)
YOKE_WORD_FUNCTION(yoke_word_operation_state, YOKE_WORDS_OPERATION_STATE)
YOKE_WORD_FUNCTION(yoke_word_origin, YOKE_WORDS_ORIGIN)
YOKE_WORD_FUNCTION(yoke_word_verdict, YOKE_WORDS_VERDICT)

#define YOKE_COMPARE(name, number, text)                                                           \
	if (strcmp(word, text) == 0)                                                               \
		return number;

int yoke_verb_of_word(const char *word)
{
	YOKE_WORDS_VERB(YOKE_COMPARE)
	return -1;
}

int yoke_verdict_of_word(const char *word)
{
	YOKE_WORDS_VERDICT(YOKE_COMPARE)
	return -1;
}

const char *yoke_verdict_advice(enum yoke_verdict verdict)
{
	switch (verdict) {
	case YOKE_OK:
		return "done";
	case YOKE_E_REQUEST:
		return "the engine does not understand this request: see 'yoke --help'";
	case YOKE_E_DENIED:
		return "only root may change the cluster: run it as root";
	case YOKE_E_NO_GROUP:
		return "no such group: 'yoke status' lists them";
	case YOKE_E_NO_NODE:
		return "no such node: 'yoke status' lists them";
	case YOKE_E_NOT_MEMBER:
		return "the group is not configured to run on that node: see 'nodes' of the group";
	case YOKE_E_NOT_READY:
		return "that node could not run it now: 'yoke status' says why";
	case YOKE_E_BUSY:
		return "another operation is running: wait for it ('yoke watch'), then try again";
	case YOKE_E_NOWHERE:
		return "no other node could run its groups: repair the other node first";
	case YOKE_E_SAVE:
		return "the state directory cannot be written: look at the log, free the disk";
	case YOKE_E_DISABLED:
		return "changes by SNMP are off: set 'snmp { set = yes }' to allow them";
	case YOKE_E_MAINTENANCE:
		return "it is in maintenance: 'yoke resume' ends that";
	case YOKE_E_PARALLEL:
		return "a parallel group runs on each of its nodes: 'yoke standby' stops it on one";
	case YOKE_E_VERSION:
		return "another node runs an older yoke that does not know this: upgrade it first";
	case YOKE_E_DIFFERS:
		return "that node's configuration of the group differs: make the files equal first";
	case YOKE_E_LIVES:
		return "a lock is that node's: it lives, or did a moment ago: look again, then ask "
		       "again";
	case YOKE_E_IN_CONTACT:
		return "that node is not lost: only a silent node can be confirmed to be down";
	}
	return "?";
}
