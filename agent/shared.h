/* agent/shared.h - the memory that outlives an engine: a file in run_dir, mapped by keeper and
 * engine, read by `yoke replay`.
 *
 * Five things are in it: the engine's sign of life (written each turn, watched by the keeper), what
 * the watchdog is fed for, what the next engine is to know, the ring of recent events, and the
 * flight recorder: the events fed to the core, after a copy of the core as it was before the first
 * of them.  The recorder has two segments, used in turn: when one is full the other is begun anew
 * with a fresh copy.  So at least one whole segment of history exists.
 *
 * Layer: agent.  May include: agent/base, agent/core.
 * The engine may write all of it, so who reads it trusts nothing in it; the keeper reads alive_us
 * and what the watchdog is fed for.
 * Memory: the mapping belongs to who opened it, until it exits.  Never blocks (tmpfs).
 */
#ifndef AGENT_SHARED_H
#define AGENT_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/event.h"
#include "agent/core/core.h"

enum {
	AGENT_SHARED_MAGIC = 0x796f6b32,
	AGENT_SHARED_BOOT_SIZE = 40, /* bytes with NUL: the kernel's boot id */
	AGENT_SHARED_SEGMENTS = 2,
	AGENT_SHARED_SEGMENT_SIZE = 256 * 1024, /* bytes of events */
};

struct agent_shared_segment {
	uint64_t number;                           /* grows; 0: never used */
	uint32_t used;                             /* bytes of events */
	struct core core;                          /* before the first event */
	uint8_t events[AGENT_SHARED_SEGMENT_SIZE]; /* each: u32 size, struct core_event cut to it */
};

struct agent_shared {
	/* What has this magic begins like this in every version, up to `version`: an upgrade takes
	 * the lease over, or what runs by it would be stopped. */
	uint32_t magic;
	uint32_t size; /* of this struct: of another build's file only this part is read */
	/* The lease, on CLOCK_BOOTTIME: of the boot that `boot` names, else it is forgotten. */
	char boot[AGENT_SHARED_BOOT_SIZE];
	_Atomic int64_t lease_until_us; /* as the core told it last; 0: it did not */
	_Atomic int64_t feed_until_us;  /* the watchdog is fed until then; YOKE_NEVER: for ever */
	_Atomic bool is_exclusive;      /* something exclusive runs, or is about to */

	char version[YOKE_NAME_SIZE]; /* of the yoke that made it: it must be ours */
	_Atomic int64_t alive_us;     /* CLOCK_BOOTTIME at the engine's last turn; 0: starting */
	_Atomic int64_t before_us;    /* the same of the engine before; 0: there was none */
	_Atomic uint32_t engines;     /* engines started since the keeper's start */
	struct core_legacy legacy;    /* by one of them, for the next */

	/* The watchdog, by the keeper; what the engine has read it sets back. */
	_Atomic bool watchdog_fed;              /* it is open and fed */
	_Atomic bool watchdog_works;            /* it is open, and what was fed to it went */
	_Atomic bool watchdog_failed;           /* for watchdog_reason */
	char watchdog_reason[YOKE_REASON_SIZE]; /* the engine's while watchdog_failed */
	_Atomic int64_t watchdog_gap_ms;        /* the longest that was near; 0: none */

	_Atomic uint32_t paths_up; /* bit n - 1: a node is heard on path n */

	/* The configuration that was read again, by the keeper. */
	_Atomic uint32_t reloads; /* that were refused or taken, since `size` was made */
	char reload_reason[YOKE_REASON_SIZE]; /* why not, the last time; empty: it was taken */
	_Atomic bool reloaded;                /* it is the next engine's first */

	uint64_t last_event;                      /* seq; 0: none */
	struct yoke_event event[YOKE_EVENTS_MAX]; /* [seq % YOKE_EVENTS_MAX] */
	uint32_t segment;                         /* index of the one in use */
	struct yoke_names names;                  /* for rendering */
	struct agent_shared_segment recorder[AGENT_SHARED_SEGMENTS];
};

/* Open (create: make anew if it is not of this build, with the lease of the one that was there,
 * and forget the lease of another boot) the file.  Returns its descriptor and sets *shared; -1 with
 * errno. */
int agent_shared_open(const char *file_name, bool create, struct agent_shared **shared);
/* Map an inherited descriptor.  NULL with errno when it is not ours. */
struct agent_shared *agent_shared_map(int fd, bool writable);

/* What the core says of the lease: CORE_LEASE. */
void agent_shared_lease(struct agent_shared *shared, yoke_time until, bool exclusive, bool reset);

/* Begin a segment with a copy of the core: at the engine's start, and when one is full. */
void agent_shared_begin(struct agent_shared *shared, const struct core *core);
/* Note an event that is about to be fed to the core. */
void agent_shared_record(struct agent_shared *shared, const struct core *core,
			 const struct core_event *event);

/* Put an event of an earlier boot, with its number, into the ring. */
void agent_shared_remember(struct agent_shared *shared, const struct yoke_event *event);
/* The event with that number; NULL when it is not remembered. */
const struct yoke_event *agent_shared_event(const struct agent_shared *shared, uint64_t seq);

#endif
