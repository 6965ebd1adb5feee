/* tests/model/disk.pml - the lock on a shared disk (agent/core/disk.c) for the model checker SPIN.
 *
 *   make check-model
 *
 * Two nodes, a slot for each.  A write is asked for, lands any time later, then the other's slot is
 * read, and any time after that the engine hears of it; or never, and asks for something else.  What
 * nobody waits for any more may still land, or not; it lands before newer writes of the same node.
 * An engine may crash at any time and starts again without memory, but what runs exclusively goes on
 * until the lease ends that the old one left.  When the machine goes with it, the write may land in
 * part.  All of this takes any time: nothing here relies on an answer in time.
 *
 * A slot that is FREE may be written FREE anew at any time, to see that the disk takes a write.
 *
 * There is no clock: what matters are spans (how long ago a question was asked, how long a slot was
 * watched, what is left of a lease), which count up to where they make no difference any more.  So
 * time has no end here.  Limited are the writes of each node, and the faults of both together:
 * answers lost, crashes, and locks given back; in one run the tests, too, which are writes as well.
 *
 * Wanted: never two nodes hold at once (the assertion).
 * DEAD: node 1 is dead for good, node 0 wants the lock and gets answers: it gets the lock.
 *
 * What the lock would be without one of its rules; each must be found:
 *   NO_READ          the slots are not read after a write
 *   ANCHOR_END       a lease begins when the write is reported, not when it was asked for
 *   NO_WATCH         a slot is stale at once
 *   NO_MARGIN        a slot is stale after a lease, by a clock that may be too fast
 *   STANDS_LAPSED    who writes HELD ignores claims, also before the lease runs, or after
 *   RENEWS_LAPSED    a renewal counts that comes back when the lease is over
 *   KEEPS_ROUND      who lets his lease lapse goes on with the round that he had
 *   KEEPS_INHERITED  the lease of an earlier engine goes on although the slot is written FREE
 *   TESTS_HELD       the slot is written FREE as a test whatever is in it, and the lease goes on
 *   TESTS_INHERITED  likewise, while only the lease of an earlier engine goes on
 *   FROM_ZERO        an engine that cannot read its own slot begins with sequence 0 again
 *   FOREVER          (DEAD) a slot never becomes stale
 */
#ifndef WRITES
#define WRITES 4
#endif
#ifndef LEASE
#define LEASE 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef TESTS
#define TESTS 0 /* any number */
#endif
#define MARGIN 1 /* as much as two clocks may differ in a watch */
#define ANSWER 1 /* DEAD: an answer takes no longer */

#ifdef NO_MARGIN
#define STALE LEASE
#else
#define STALE (LEASE + MARGIN)
#endif

#define FREE 0 /* states of a slot: that of a disk never written */
#define CLAIM 1
#define HELD 2
#define BAD 3

#define NOTHING 0 /* what is asked */
#define READ 1
#define WRITE 2

#define ASKED 0 /* how far it is */
#define LANDED 1
#define DONE 2

typedef slot {
	byte state, round, sequence;
}

typedef node {
	slot disk;	/* what a reader finds */
	slot late;	/* a write that nobody waits for any more; ... */
	bool is_late;	/* ... may still land */
	byte ask, phase;
	byte age;	/* of the question, in ticks; to LEASE */
	slot got;	/* the other's slot, read for the question */
	bool renews;	/* a WRITE of what is held, asked for while the lease ran */
	bool known;	/* our slot was read since the start */
	slot own;	/* our slot as last asked for; what a WRITE writes */
	bool has_seen;
	slot seen;	/* the other's as the engine knows it ... */
	byte watched;	/* ... since so many ticks; to STALE */
	byte left;	/* of our lease, in ticks */
	byte inherited; /* of the lease of an engine before this one */
}

node n[2];
byte faults, tests;
bool pause; /* DEAD: a claim in vain was reported in this tick */

#define SELF n[self]
#define OTHER n[1 - self]
#define HOLDS(i) (n[i].left > 0 || n[i].inherited > 0)
#ifdef FOREVER
#define IS_ALIVE (SELF.seen.state != FREE)
#else
#define IS_ALIVE (SELF.seen.state != FREE && SELF.watched < STALE)
#endif
#define IS_HIGHER                                                                                  \
	(SELF.seen.round > SELF.own.round || (SELF.seen.round == SELF.own.round && self == 1))
#ifdef STANDS_LAPSED
#define STANDS (SELF.own.state == HELD && SELF.seen.state != HELD)
#else
#define STANDS (SELF.own.state == HELD && SELF.seen.state != HELD && SELF.left > 0)
#endif
#ifdef RENEWS_LAPSED
#define LAPSED false
#else
#define LAPSED (SELF.renews && SELF.left == 0)
#endif
#define GOES_BEFORE                                                                                \
	(IS_ALIVE && !STANDS &&                                                                    \
	 (SELF.seen.state == BAD || IS_HIGHER ||                                                   \
	  (SELF.seen.state == HELD && SELF.own.state != HELD) || SELF.own.state == FREE))
#define MAY_WRITE (SELF.own.sequence < WRITES)

inline copy(to, from)
{
	to.state = from.state;
	to.round = from.round;
	to.sequence = from.sequence
}

inline wipe(what)
{
	what.state = FREE;
	what.round = 0;
	what.sequence = 0
}

inline ask_for(what)
{
	SELF.ask = what;
	SELF.renews = false;
	SELF.phase = ASKED;
	SELF.age = 0
}

inline answered()
{
	SELF.ask = NOTHING;
	SELF.renews = false;
	SELF.phase = ASKED;
	SELF.age = 0;
	wipe(SELF.got)
}

/* ---- the engine: as in agent/core/disk.c ---- */

inline write(what)
{
	if
	:: what == CLAIM && SELF.seen.round > SELF.own.round ->
		SELF.own.round = SELF.seen.round + 1
	:: what == CLAIM && SELF.seen.round <= SELF.own.round ->
		SELF.own.round = SELF.own.round + 1
#ifndef KEEPS_INHERITED
	:: what == FREE -> SELF.inherited = 0
#endif
	:: else
	fi;
	SELF.own.state = what;
	SELF.own.sequence++;
	ask_for(WRITE)
}

/* The lock is wanted. */
inline look()
{
	if
	:: SELF.own.state == HELD && SELF.left > 0 ->
		write(HELD);
		SELF.renews = true
	:: else ->
		if
		:: !SELF.known || GOES_BEFORE -> ask_for(READ)
#ifdef KEEPS_ROUND
		:: SELF.known && !GOES_BEFORE && SELF.own.state == HELD -> write(HELD)
#endif
		:: else -> write(CLAIM)
		fi
	fi
}

inline give_up()
{
	SELF.left = 0;
	if
	:: SELF.known && SELF.own.state != FREE -> write(FREE)
	:: else
	fi
}

/* Nothing is held, wanted or left of an earlier engine: may the disk be written? */
inline test()
{
	tests = (TESTS > 0 -> tests + 1 : 0);
	SELF.own.state = FREE;
	SELF.own.sequence++;
	ask_for(WRITE)
}

#define MAY_TEST_AT_ALL (SELF.known && (TESTS == 0 || tests < TESTS))
#define HAS_NOTHING (SELF.left == 0 && SELF.own.state == FREE)
#ifdef TESTS_HELD
#define MAY_TEST MAY_TEST_AT_ALL
#else
#ifdef TESTS_INHERITED
#define MAY_TEST (MAY_TEST_AT_ALL && HAS_NOTHING)
#else
#define MAY_TEST (MAY_TEST_AT_ALL && HAS_NOTHING && SELF.inherited == 0)
#endif
#endif

inline note_slots()
{
	if
	:: SELF.has_seen && SELF.seen.state == SELF.got.state && SELF.seen.round == SELF.got.round &&
	   SELF.seen.sequence == SELF.got.sequence
	:: else ->
		copy(SELF.seen, SELF.got);
		SELF.has_seen = true;
		SELF.watched = 0;
#ifdef NO_WATCH
		SELF.watched = STALE;
#endif
		/* Our clock may be the faster one. */
		if
		:: SELF.seen.state != FREE && SELF.watched == 0 -> SELF.watched = MARGIN
		:: true
		fi
	fi;
	SELF.known = true
}

inline on_written()
{
	if
	:: SELF.own.state == FREE ->
		SELF.left = 0;
		answered()
	:: SELF.own.state != FREE && GOES_BEFORE ->
		SELF.left = 0;
		answered();
		if
		:: MAY_WRITE -> write(FREE)
		:: else
		fi
	:: SELF.own.state == CLAIM && !GOES_BEFORE ->
		answered();
		if
		:: IS_ALIVE ->
			SELF.left = 0;
#ifdef DEAD
			pause = true
#endif
		:: !IS_ALIVE && MAY_WRITE -> write(HELD)
		:: else
		fi
	:: SELF.own.state == HELD && !GOES_BEFORE && LAPSED -> answered()
	:: SELF.own.state == HELD && !GOES_BEFORE && !LAPSED ->
#ifdef ANCHOR_END
		SELF.age = 0;
#endif
		SELF.left = LEASE - SELF.age;
		answered()
	fi
}

inline on_answer()
{
	if
	:: SELF.ask == READ ->
		note_slots();
		SELF.left = 0;
		answered()
	:: SELF.ask == WRITE ->
#ifndef NO_READ
		note_slots();
#endif
		on_written()
	fi;
	assert(!(HOLDS(0) && HOLDS(1)))
}

/* ---- the disk ---- */

inline land()
{
	if
	:: SELF.is_late ->
		copy(SELF.disk, SELF.late);
		SELF.is_late = false;
		wipe(SELF.late)
	:: else ->
		copy(SELF.disk, SELF.own);
		SELF.phase = LANDED
	fi
}

inline read()
{
	copy(SELF.got, OTHER.disk);
	if
	:: !SELF.known ->
		SELF.own.round = SELF.disk.round;
		/* What cannot be read has a sequence here nevertheless: one that was not used. */
		SELF.own.sequence = SELF.disk.sequence;
#ifdef FROM_ZERO
		SELF.own.sequence = (SELF.disk.state == BAD -> 0 : SELF.disk.sequence)
#endif
	:: else
	fi;
	SELF.phase = DONE
}

/* ---- what goes wrong ---- */

/* Nobody waits for the answer any more.  A write that has not landed will do so later, or never. */
inline forget()
{
	if
	:: SELF.ask == WRITE && SELF.phase == ASKED && !SELF.is_late ->
		copy(SELF.late, SELF.own);
		SELF.is_late = true
	:: true
	fi;
	answered()
}

/* The rest of the machine may go as well, in the middle of a write. */
inline crash()
{
	forget();
	if
	:: SELF.is_late ->
		SELF.late.state = BAD;
		SELF.late.round = 0
	:: true
	fi;
	SELF.known = false;
	wipe(SELF.own);
	SELF.has_seen = false;
	wipe(SELF.seen);
	SELF.watched = 0;
	if
	:: SELF.left > SELF.inherited -> SELF.inherited = SELF.left
	:: else
	fi;
	SELF.left = 0
}

/* ---- all of it ---- */

#define CAN_LAND (SELF.is_late || (SELF.ask == WRITE && SELF.phase == ASKED))
#define CAN_READ                                                                                   \
	(SELF.phase != DONE && (SELF.ask == READ || (SELF.ask == WRITE && SELF.phase == LANDED)))

proctype alive(bit self)
{
end:	do
	:: d_step { SELF.ask == NOTHING && MAY_WRITE && !pause -> look() }
	:: d_step { CAN_LAND -> land() }
	:: d_step { CAN_READ -> read() }
	:: atomic { SELF.phase == DONE -> on_answer() }
#ifndef DEAD
	:: d_step { SELF.ask == NOTHING && SELF.left == 0 && SELF.own.state != CLAIM -> ask_for(READ) }
	:: d_step { SELF.ask == NOTHING && MAY_WRITE && MAY_TEST -> test() }
	:: d_step { faults < FAULTS && SELF.ask == NOTHING && MAY_WRITE -> faults++; give_up() }
	:: atomic { faults < FAULTS && SELF.ask == WRITE && SELF.phase != DONE -> faults++; forget() }
	:: atomic { faults < FAULTS && SELF.phase != DONE -> faults++; crash() }
#endif
	od
}

#define LATER(what, most) what = (what < (most) -> what + 1 : what)
#define LESS(what) what = (what > 0 -> what - 1 : 0)

inline pass(i)
{
	if
	:: n[i].ask == WRITE && n[i].own.state == HELD -> LATER(n[i].age, LEASE)
	:: else
	fi;
	if
	:: n[i].seen.state != FREE -> LATER(n[i].watched, STALE)
	:: else
	fi;
	LESS(n[i].left);
	LESS(n[i].inherited)
}

proctype time()
{
end:	do
#ifdef DEAD
	:: d_step { n[0].ask == NOTHING || n[0].age < ANSWER -> pass(0); pause = false }
#else
	:: d_step { pass(0); pass(1) }
#endif
	od
}

#ifdef DEAD
/* What a dead node left: any slot, and a write that may land at last. */
proctype dead(bit self)
{
	byte state, round;

	atomic {
		select(state : FREE .. BAD);
		select(round : 0 .. 2);
		SELF.disk.state = state;
		SELF.disk.round = round;
		select(state : FREE .. BAD);
		SELF.late.state = state;
		SELF.late.round = round;
		SELF.late.sequence = 1;
		SELF.is_late = true;
		run alive(0);
		run time()
	}
	if
	:: d_step { true -> land() }
	:: true
	fi
}

ltl gets_it { <> (n[0].left > 0) }
#endif

init
{
	atomic {
#ifdef DEAD
		run dead(1)
#else
		run alive(0);
		run alive(1);
		run time()
#endif
	}
}
