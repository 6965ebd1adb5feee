/* tests/sim/skew.h - a node whose yoke is one version older.
 *
 * The version before this one sent and read state messages without the details that
 * agent/core/detail.c puts behind them.  To it a message ends where its own format did.
 *
 * Layer: tests, pure.  May include: agent/base.
 */
#ifndef TESTS_SIM_SKEW_H
#define TESTS_SIM_SKEW_H

#include <stdint.h>

/* How much of a payload an older version would have sent, and reads; size when it is no state. */
uint16_t sim_skew_old_size(const uint8_t *bytes, uint16_t size);

#endif
