#include "hb/serial.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

void hb_serial_init(struct hb_serial *serial)
{
	memset(serial, 0, sizeof(*serial));
	serial->fd = -1;
}

void hb_serial_close(struct hb_serial *serial)
{
	if (serial->fd >= 0) {
		/* A close waits for what is still to be sent: long, on a line that stands still. */
		(void)ioctl(serial->fd, TCFLSH, TCOFLUSH);
		close(serial->fd);
	}
	hb_serial_init(serial);
}

void hb_serial_attach(struct hb_serial *serial, int fd)
{
	hb_serial_close(serial);
	serial->fd = fd;
}

static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Returns false when there is nothing to read. */
static bool fill(struct hb_serial *serial)
{
	ssize_t got = read(serial->fd, serial->in, sizeof(serial->in));

	if (got > 0) {
		serial->in_at = 0;
		serial->in_size = (uint16_t)got;
		return true;
	}
	if (got == 0 || !is_passing(errno))
		hb_serial_close(serial); /* 0: it was hung up */
	return false;
}

int hb_serial_receive(struct hb_serial *serial, uint8_t bytes[HB_COBS_FRAME_MAX])
{
	for (unsigned i = 0; i <= HB_SERIAL_READS_MAX && serial->fd >= 0; i++) {
		while (serial->in_at < serial->in_size) {
			int size = hb_cobs_take(&serial->decoder, serial->in[serial->in_at++]);

			if (size == HB_COBS_NOTHING)
				continue;
			if (size == HB_COBS_GARBAGE)
				return 0;
			memcpy(bytes, serial->decoder.bytes, (size_t)size);
			return size;
		}
		if (i == HB_SERIAL_READS_MAX || !fill(serial))
			break;
	}
	return HB_SERIAL_NOTHING;
}

static void write_rest(struct hb_serial *serial)
{
	ssize_t put = write(serial->fd, serial->out + serial->out_at,
			    (size_t)(serial->out_size - serial->out_at));

	if (put > 0)
		serial->out_at = (uint16_t)(serial->out_at + put);
	else if (put < 0 && !is_passing(errno))
		hb_serial_close(serial);
}

bool hb_serial_is_idle(struct hb_serial *serial)
{
	int queued = 0;

	if (serial->fd >= 0 && serial->out_at < serial->out_size)
		write_rest(serial);
	if (serial->fd < 0 || serial->out_at < serial->out_size)
		return false;
	if (ioctl(serial->fd, TIOCOUTQ, &queued) < 0)
		hb_serial_close(serial);
	return serial->fd >= 0 && queued == 0;
}

size_t hb_serial_send(struct hb_serial *serial, const uint8_t *bytes, size_t size)
{
	size_t used = 0;

	assert(size >= 1 && size <= HB_COBS_FRAME_MAX);
	if (!hb_serial_is_idle(serial))
		return 0;
	serial->out[used++] = 0;
	used += hb_cobs_encode(bytes, size, serial->out + used);
	serial->out[used++] = 0;
	serial->out_size = (uint16_t)used;
	serial->out_at = 0;
	write_rest(serial);
	return serial->fd >= 0 ? used : 0;
}
