/* tests/sim/ways.h - every combination of paths that work, or are cut one way or both.
 *
 * A world of its own: two of the real heartbeat (struct hb, with sockets, a line and a disk) and of
 * the real core, put together as the engine does it, on a made-up clock.  The other simulator has a
 * heartbeat without bytes; here it is the paths that are tried.
 *
 * A combination is five letters, one for each of udp1, udp2, serial, disk and public:
 *
 *   u  up         a  nothing from alpha arrives     b  nothing from beta     x  cut both ways
 *
 * Of each: start, all up, cut, wait for longer than the slowest verdict takes, mend.  The verdict
 * of every path and of the node is right at both ends.  While one path works both ways nobody
 * starts or stops anything, and the other node is never lost.  With none left both find each other
 * lost in time and have the group; after the mending the higher term has it.
 *
 * Layer: tests.
 */
#ifndef TESTS_SIM_WAYS_H
#define TESTS_SIM_WAYS_H

#include <stdbool.h>

/* only: one combination, told line by line; NULL: all of them.  Returns whether it went well. */
bool sim_ways(const char *only);

#endif
