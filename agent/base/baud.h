/* agent/base/baud.h - the rates of a serial line that yoke knows, and what a line may carry.
 *
 * Layer: base, pure.  May include: nothing.
 * Example: hb/tty.c, conf/serial.c.
 */
#ifndef AGENT_BASE_BAUD_H
#define AGENT_BASE_BAUD_H

/* X(rate): those that every UART driver has between 9600 and 921600. */
#define YOKE_BAUDS(X)                                                                              \
	X(9600)                                                                                    \
	X(19200)                                                                                   \
	X(38400)                                                                                   \
	X(57600)                                                                                   \
	X(115200)                                                                                  \
	X(230400)                                                                                  \
	X(460800)                                                                                  \
	X(921600)

enum {
	YOKE_SERIAL_BITS = 10,      /* of a byte on the line: start, 8 of data, stop */
	YOKE_SERIAL_SHARE = 4,      /* one part in so many of the line is ours, 25 % */
	YOKE_SERIAL_BEAT_SIZE = 96, /* bytes on the line of the longest BEAT between two nodes */
};

#endif
