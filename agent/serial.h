/* agent/serial.h - the process that opens a serial line for the engine.
 *
 * The engine may not: it is not root, and it waits for nothing.  Opening may take long (the driver
 * of a USB adapter asks its adapter, and the whole of /proc is looked through for others that use
 * the line), so the keeper does not do it either, who feeds the watchdog and watches the engine.
 * The descriptor travels to the engine through the keeper (SCM_RIGHTS), which then moves bytes
 * without any of us.
 *
 * One process for each line: one that hangs in its driver holds up no other.
 *
 * Layer: agent; a process of its own (agent/role.h).
 */
#ifndef AGENT_SERIAL_H
#define AGENT_SERIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens the line (hb/tty.h) each time that it is asked to.  Returns the exit status. */
int agent_serial_run(const char *device, uint32_t baud, bool rtscts, pid_t keeper);

#endif
