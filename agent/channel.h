/* agent/channel.h - what keeper, engine and saver say to each other.
 *
 * A SEQPACKET socketpair between keeper and engine, and one between keeper and saver.  All are the
 * same binary of the same start, so a message is a plain struct, cut to the bytes that its kind
 * uses.  Sends never wait: a full channel is an answer ("not taken"), which the sender must handle.
 *
 * Layer: agent.  May include: agent/base, agent/core, conf.  Memory: messages are copied.
 */
#ifndef AGENT_CHANNEL_H
#define AGENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/event.h"
#include "agent/base/limits.h"
#include "agent/base/piece.h"
#include "agent/core/core.h"
#include "conf/conf.h"

enum agent_channel_kind {
	AGENT_CHANNEL_RECORD = 1, /* saver to keeper, keeper to engine, at their start: u.record; no
				     bytes and no reason: this node never saved anything */
	AGENT_CHANNEL_SAVE,       /* engine to keeper to saver: make u.record durable */
	AGENT_CHANNEL_SAVED,      /* and back: u.saved */
	AGENT_CHANNEL_EVENT,      /* engine to keeper to saver: remember u.event over a reboot */
	AGENT_CHANNEL_LEAVE,      /* keeper to engine: hand over, say goodbye, exit 0 */
	AGENT_CHANNEL_JOB,        /* engine to keeper: do u.job, see agent/job.h */
	AGENT_CHANNEL_DONE,       /* and back: u.done */
	AGENT_CHANNEL_ASK,        /* engine to keeper: ask an arbiter, u.ask */
	AGENT_CHANNEL_ANSWER,     /* and back: u.answer */
	AGENT_CHANNEL_CANCEL,     /* engine to keeper: u.cancel, of an ask, is not waited for */
	AGENT_CHANNEL_OPEN,       /* engine to keeper to serial or post: open u.open's path */
	AGENT_CHANNEL_OPENED,     /* and back: u.opened, with a descriptor when it could */
	AGENT_CHANNEL_KEYS,       /* engine to keeper to saver: read the key file, u.keys */
	AGENT_CHANNEL_KEYS_READ,  /* and back: u.keys_read, with a descriptor when it could */
	AGENT_CHANNEL_RETIRE,     /* keeper to engine: u.retire is not to run any more */
	AGENT_CHANNEL_RETIRED,    /* and back: it does not */
	AGENT_CHANNEL_MISSING,    /* keeper to engine before the record, and back when it is
				     another: u.missing need not run though its group does */
	AGENT_CHANNEL_KEYS_TAKEN, /* engine to keeper: it goes on with the keys that it was given */
	AGENT_CHANNEL_BULK,       /* engine to keeper to courier: u.bulk, of the other node; and
				     back, for it */
	AGENT_CHANNEL_RELOAD,     /* courier to keeper: read the configuration again */
	AGENT_CHANNEL_REFUSED,    /* and back: u.refused */
	AGENT_CHANNEL_PROGRAM,    /* keeper to engine: u.program, of a script */
};

struct agent_channel_message {
	uint32_t kind; /* enum agent_channel_kind */
	union {
		struct {
			uint32_t version; /* the engine's */
			uint32_t serial;  /* the keeper's, over all engines; comes back in saved */
			uint32_t size;
			char reason[YOKE_REASON_SIZE]; /* why the saved one is unreadable */
			uint8_t bytes[YOKE_RECORD_SIZE];
		} record;
		struct {
			uint32_t version, serial;
			bool ok;
			char reason[YOKE_REASON_SIZE];
		} saved;
		struct yoke_event event;
		struct {
			uint32_t id;         /* of the core's run */
			uint16_t resource;   /* number */
			uint32_t kind;       /* enum core_run_kind */
			uint32_t timeout_ms; /* from when it starts */
		} job;
		struct {
			uint32_t id;
			uint32_t result; /* enum core_result */
			char reason[YOKE_REASON_SIZE];
		} done;
		struct {
			uint32_t id;           /* of the core's ask */
			uint16_t arbiter;      /* number */
			uint16_t node;         /* fence: whom, number */
			uint32_t kind;         /* enum core_ask_kind */
			uint32_t timeout_ms;   /* from when it starts */
			struct core_slot slot; /* disk, write */
			uint8_t newest_key;    /* disk: id of the newest that all nodes have */
		} ask;
		struct {
			uint32_t id;
			uint32_t result; /* enum core_result */
			uint16_t node;   /* ANSWERED: who has the lock, number */
			struct core_slot slot[YOKE_NODES_MAX]; /* disk, DONE: [number - 1] */
			uint16_t arbiter;                      /* disk: number */
			uint8_t key;                   /* disk: id of the oldest that is on it */
			char reason[YOKE_REASON_SIZE]; /* FAILED: why */
		} answer;
		struct {
			uint32_t id; /* of the core's ask */
		} cancel;
		struct {
			uint16_t path; /* number */
		} open;
		struct {
			uint16_t path;
			char reason[YOKE_REASON_SIZE]; /* why not; empty when it is open */
		} opened;
		struct {
			uint32_t serial; /* the keeper's, of this engine; 0: none yet */
			/* [number - 1] */
			bool group[YOKE_GROUPS_MAX], resource[YOKE_RESOURCES_MAX];
		} retire;
		struct {
			uint32_t serial; /* of the RETIRE that it answers */
		} retired;
		struct {
			uint32_t serial; /* from the engine: of the last RETIRE that it took */
			bool resource[YOKE_RESOURCES_MAX]; /* [number - 1] */
		} missing;
		struct {
			char file[CONF_FILE_SIZE]; /* by the keeper */
		} keys;
		struct {
			char reason[YOKE_REASON_SIZE]; /* why not; empty when it could */
		} keys_read;
		struct {
			uint16_t node; /* number */
			uint16_t room; /* to courier: for an answer, bytes */
			uint16_t size;
			uint8_t bytes[YOKE_PIECE_SIZE];
		} bulk;
		struct {
			char reason[YOKE_REASON_SIZE];
		} refused;
		struct {
			uint16_t resource;             /* number */
			char reason[YOKE_REASON_SIZE]; /* why it cannot be run; empty: it can */
		} program;
	} u;
};

/* Returns 0; -1 when the channel is full or closed (errno says which). */
int agent_channel_send(int fd, const struct agent_channel_message *message);

/* The same, but waits for room for as long as it takes: for the saver. */
int agent_channel_send_patiently(int fd, const struct agent_channel_message *message);

/* Returns 1 and fills *message; 0 when there is nothing to read; -1 when the other side is gone or
 * said something that is not a message.  Does not wait. */
int agent_channel_receive(int fd, struct agent_channel_message *message);

/* The same with a descriptor beside the message, which stays the sender's and becomes the
 * receiver's (*fd, close-on-exec); -1: none.  agent_channel_receive() closes what comes. */
int agent_channel_send_fd(int fd, const struct agent_channel_message *message, int passed);
int agent_channel_receive_fd(int fd, struct agent_channel_message *message, int *passed);

/* Wait for a message for at most timeout_ms (-1: for ever).  Otherwise as receive. */
int agent_channel_wait(int fd, struct agent_channel_message *message, int timeout_ms);

#endif
