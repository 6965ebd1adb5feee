/* tests/sim/faults.h - what goes wrong, drawn from the seed.
 *
 * Each class of faults is off in about half of the runs, so that a run shows a few of them often
 * instead of all of them rarely.  Faults come at random times, several may be in force at once, and
 * every one says to sim_check_disturb() until when it is.
 *
 * Layer: tests.  Memory: the caller's.
 */
#ifndef TESTS_SIM_FAULTS_H
#define TESTS_SIM_FAULTS_H

#include "tests/sim/world.h"

enum sim_fault {
	SIM_FAULT_LOSS,     /* frames lost, doubled, delayed, overtaken */
	SIM_FAULT_ONE_WAY,  /* one direction of a path cut */
	SIM_FAULT_PATH,     /* a path cut */
	SIM_FAULT_SPLIT,    /* all paths cut, the service's network with them or not */
	SIM_FAULT_SWIZZLE,  /* directions cut one by one, healed in another order */
	SIM_FAULT_CRASH,    /* an engine killed and started again */
	SIM_FAULT_POWER,    /* a power cut and a boot */
	SIM_FAULT_PAUSE,    /* an engine's process stopped and continued */
	SIM_FAULT_LOOP,     /* an engine, or the power, gone again and again soon after its start */
	SIM_FAULT_MOMENT,   /* a crash, power cut or pause just when a node has done something */
	SIM_FAULT_CARRIER,  /* no carrier on the service's interface */
	SIM_FAULT_REMOVE,   /* somebody takes an address away */
	SIM_FAULT_SAVE,     /* saving slow or failing */
	SIM_FAULT_STRANGER, /* somebody else has an address */
	SIM_FAULT_JOB,      /* starting and stopping slow or failing */
	SIM_FAULT_HANG,     /* programs that do not end by themselves, some cannot be killed */
	SIM_FAULT_ODD,      /* results late, twice or never */
	SIM_FAULT_RECORD,   /* a record is unreadable, or gone, at the next start */
	SIM_FAULT_SERVICE,  /* a service dies, is unwell, does not answer or does not start */
	SIM_FAULT_ARBITER,  /* an arbiter is gone, for all or for one node, slow, or fails */
	SIM_FAULT_LIE,      /* a fence device says that what is on is off */
	SIM_FAULT_CONF,     /* one node's configuration differs for a while */
	SIM_FAULT_RELOAD,   /* a configuration without something is read, then one with it again */
	SIM_FAULT_LEAVE,    /* an engine leaves and is started again: no fault */
	SIM_FAULT_OPERATE,  /* an operator asks for something: no fault */
	SIM_FAULT_REST,     /* an operator begins or ends a maintenance: no fault */
	SIM_FAULT_VERB,     /* the same or that, just when a node has done something: no fault */
	SIM_FAULT_CLOCK,    /* a wall clock is set: no fault */
	SIM_FAULTS
};

struct sim_faults {
	bool on[SIM_FAULTS];
	uint32_t pause_us; /* mean time between two */
	yoke_time next_at;
};

/* fault_free: only what is no fault. */
void sim_faults_draw(struct sim_faults *f, struct sim_world *w, bool fault_free);
/* Do the next one, and say when the one after it comes. */
void sim_faults_do(struct sim_faults *f, struct sim_world *w);
/* A node has done something that is more than a heartbeat: was that the moment? */
void sim_faults_moment(struct sim_world *w, uint16_t node);
/* It has made a step. */
void sim_faults_step(struct sim_world *w, uint16_t node);
/* An engine starts: is it to be alone? */
void sim_faults_start(struct sim_world *w, uint16_t node);
/* One of several arbiters works no more: while the nodes hear each other that is no fault. */
void sim_faults_break(struct sim_world *w);
/* One node is gone for good, while all is well: no power, no engine, or nothing reaches it. */
void sim_faults_last(struct sim_world *w);
/* End every fault; everything is switched on and started. */
void sim_faults_heal(struct sim_world *w);

/* ---- for the files of the faults ---- */

uint16_t sim_faults_node(struct sim_world *w); /* any */
/* Shorter than the dead time, about as long, or much longer. */
int64_t sim_faults_span_us(struct sim_world *w);
/* In some cases so long that a proof is come to in it, if there is any. */
int64_t sim_faults_long_us(struct sim_world *w);
void sim_faults_cut(struct sim_world *w, uint16_t a, uint16_t b, uint16_t path, yoke_time end);
/* Its sockets are full soon, or the whole machine stands still, until the other has taken over. */
void sim_faults_suspend(struct sim_world *w, uint16_t node);
/* A crash, power cut or pause now. */
void sim_faults_hit(struct sim_world *w, uint16_t node);
/* An operator asks for something now. */
void sim_faults_ask(struct sim_world *w);

/* ---- faults_moment.c ---- */

void sim_faults_do_moment(struct sim_world *w);
void sim_faults_do_verb(struct sim_world *w);
void sim_faults_do_loop(struct sim_world *w);
/* The next blow of a loop. */
void sim_faults_loop(struct sim_world *w, uint16_t node);
/* A node that a person said to be off is back and not yet heard: he sees to it that it is, before
 * anything else happens. */
bool sim_faults_is_awaited(const struct sim_world *w);

#endif
