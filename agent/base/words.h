/* agent/base/words.h - the enumerations of words.def, and their words.
 *
 * Layer: base, pure.  May include: nothing.
 * Example: yoke_word_node_state(YOKE_NODE_LOST) is "lost".
 */
#ifndef AGENT_BASE_WORDS_H
#define AGENT_BASE_WORDS_H

#include "agent/base/words.def"

#define YOKE_ENUMERATOR(name, number, word) name = number,

enum yoke_node_state { YOKE_WORDS_NODE_STATE(YOKE_ENUMERATOR) };
enum yoke_path_state { YOKE_WORDS_PATH_STATE(YOKE_ENUMERATOR) };
enum yoke_path_type { YOKE_WORDS_PATH_TYPE(YOKE_ENUMERATOR) };
enum yoke_path_role { YOKE_WORDS_PATH_ROLE(YOKE_ENUMERATOR) };
enum yoke_group_state { YOKE_WORDS_GROUP_STATE(YOKE_ENUMERATOR) };
enum yoke_resource_state { YOKE_WORDS_RESOURCE_STATE(YOKE_ENUMERATOR) };
enum yoke_resource_type { YOKE_WORDS_RESOURCE_TYPE(YOKE_ENUMERATOR) };
enum yoke_condition { YOKE_WORDS_CONDITION(YOKE_ENUMERATOR) };
enum yoke_severity { YOKE_WORDS_SEVERITY(YOKE_ENUMERATOR) };
enum yoke_arbiter_type { YOKE_WORDS_ARBITER_TYPE(YOKE_ENUMERATOR) };
enum yoke_arbiter_state { YOKE_WORDS_ARBITER_STATE(YOKE_ENUMERATOR) };
enum yoke_verb { YOKE_WORDS_VERB(YOKE_ENUMERATOR) };
enum yoke_operation_state { YOKE_WORDS_OPERATION_STATE(YOKE_ENUMERATOR) };
enum yoke_origin { YOKE_WORDS_ORIGIN(YOKE_ENUMERATOR) };
enum yoke_verdict { YOKE_WORDS_VERDICT(YOKE_ENUMERATOR) };

/* The word for a number; "?" for a number that is not in the table.  Static strings. */
const char *yoke_word_node_state(int number);
const char *yoke_word_path_state(int number);
const char *yoke_word_path_type(int number);
const char *yoke_word_path_role(int number);
const char *yoke_word_group_state(int number);
const char *yoke_word_resource_state(int number);
const char *yoke_word_resource_type(int number);
const char *yoke_word_condition(int number);
const char *yoke_word_severity(int number);
const char *yoke_word_arbiter_type(int number);
const char *yoke_word_arbiter_state(int number);
const char *yoke_word_verb(int number);
const char *yoke_word_operation_state(int number);
const char *yoke_word_origin(int number);
const char *yoke_word_verdict(int number);

/* The number for a verb's or verdict's word; -1 when there is none. */
int yoke_verb_of_word(const char *word);
int yoke_verdict_of_word(const char *word);

/* One sentence for people that says what to do next.  Static string. */
const char *yoke_verdict_advice(enum yoke_verdict verdict);

#endif
