/* hb/device.h - opening a shared disk.
 *
 * Past the cache (O_DIRECT), because what is in it the other node does not see; a file system that
 * cannot do that is refused, unless it is in memory (tmpfs), as in tests: no two machines share it.
 *
 * Layer: hb.  May include: nothing.  Blocks for as long as the disk does not answer.
 */
#ifndef HB_DEVICE_H
#define HB_DEVICE_H

/* flags: O_RDONLY or O_RDWR.  Returns the descriptor; -1 with errno; EOPNOTSUPP: there is
 * only the cache. */
int hb_device_open(const char *device, int flags);

#endif
