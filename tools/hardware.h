/* tools/hardware.h - what a path goes over on this machine: interfaces below interfaces, and cards.
 *
 * Two paths that have a device or a card in common fail together.  A bond, a VLAN or a bridge goes
 * over the interfaces below it; two ports of one PCI card or of one USB adapter are one card.
 *
 * Layer: tools.  Memory: plain values.  Reads sysfs; nothing here waits for a device.
 * Example: tests/unit/tools_hardware.c.
 */
#ifndef TOOLS_HARDWARE_H
#define TOOLS_HARDWARE_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/types.h>

enum { TOOL_HARDWARE_MAX = 16, TOOL_HARDWARE_SIZE = 256 };

struct tool_hardware {
	unsigned count; /* from the top; what is more than that is left out */
	char name[TOOL_HARDWARE_MAX][TOOL_HARDWARE_SIZE]; /* an interface, or a card's directory */
};

/* What is below an interface, itself included.  sys: "/sys".  One that is not there has nothing. */
void tool_hardware_of_interface(const char *sys, const char *interface,
				struct tool_hardware *hardware);

/* The card of a terminal; none when it has none, as a pseudo-terminal. */
void tool_hardware_of_tty(const char *sys, dev_t tty, struct tool_hardware *hardware);

/* Is it one terminal, disk or file, under two names?  Of what is not there that cannot be told. */
bool tool_hardware_is_one(const char *device, const char *other);

/* The first that both have; NULL: none. */
const char *tool_hardware_shared(const struct tool_hardware *a, const struct tool_hardware *b);

#endif
