/* tests/sim/skew.h - a node whose yoke is older.
 *
 * The version before this one, of protocol 1, knew sections 1 to 3 of agent/core/detail.c; of
 * others it read nothing.  Its beat ended after whose lease it renews.  The one before that sent
 * and read state messages without details: to it a message ended where its own format did.
 *
 * What an older version would have sent is also what it reads of what a newer one sends.
 *
 * Layer: tests, pure.  May include: agent/base.
 */
#ifndef TESTS_SIM_SKEW_H
#define TESTS_SIM_SKEW_H

#include <stdint.h>

/* Cut a payload (of `size` bytes, changed in place) to what a yoke of so many versions (1 or 2)
 * before this one would have sent, and reads.  Returns its size; `size` when it is none of ours. */
uint16_t sim_skew_cut(uint8_t *bytes, uint16_t size, unsigned versions);

#endif
