#include "subagent/notify.h"

#include <errno.h>
#include <string.h>

#include "agent/base/event.h"
#include "agent/base/log.h"
#include "subagent/agentx.h"
#include "subagent/cursor.h"
#include "subagent/event.h"
#include "subagent/handler.h"
#include "subagent/notifications.def"

enum {
	NOTIFY = 12,          /* h.type, RFC 2741, 6.1 */
	NOT_OPEN = 257,       /* res.error, RFC 2741, 7.1 */
	FOR_EVER_S = 1000000, /* snmpd may hang as long as it likes: only its death ends the wait */
};

/* The number below yokeNotifications; 0: the kind is not sent. */
static uint32_t number_of(int kind)
{
#define SUBAGENT_NAMED(name, number)                                                               \
	if (strcmp(yoke_event_notification(kind), #name) == 0)                                     \
		return number;
	SUBAGENT_NOTIFICATIONS(SUBAGENT_NAMED)
	return 0;
}

void subagent_notify_init(struct subagent_notify *notify, const char *file)
{
	notify->file = file;
	subagent_cursor_load(file, &notify->acknowledged);
	notify->saved = notify->acknowledged;
}

void subagent_notify_session(struct subagent_notify *notify, netsnmp_session *session)
{
	unsigned i;

	notify->session = session;
	notify->generation++;
	notify->not_open = false;
	for (i = 0; i < notify->count; i++)
		if (notify->window[i].place == SUBAGENT_SENT)
			notify->window[i].place = SUBAGENT_WAITING;
}

void subagent_notify_renumber(struct subagent_notify *notify)
{
	notify->count = 0;
	notify->acknowledged = 0;
	notify->generation++;
}

/* The callback's argument: which session, and which place by the low bits of its number. */
static void *ticket(uint32_t generation, uint64_t seq)
{
	return (void *)((uintptr_t)generation << 32 | (uint32_t)seq);
}

static struct subagent_notify *answered;

static int on_answer(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu,
		     void *magic)
{
	struct subagent_notify *notify = answered;
	unsigned i;

	(void)session;
	(void)reqid;
	for (i = 0; i < notify->count; i++) {
		if (notify->window[i].place != SUBAGENT_SENT ||
		    ticket(notify->generation, notify->window[i].seq) != magic)
			continue;
		if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
			notify->window[i].place = SUBAGENT_WAITING;
			break;
		}
		if (pdu->errstat == NOT_OPEN) {
			notify->window[i].place = SUBAGENT_WAITING;
			notify->not_open = true;
			break;
		}
		if (pdu->errstat != 0)
			yoke_log(YOKE_LOG_ERROR,
				 "snmpd refuses the notification of event %llu: %ld",
				 (unsigned long long)notify->window[i].seq, pdu->errstat);
		notify->window[i].place = SUBAGENT_DONE;
		notify->acknowledged_total++;
		break;
	}
	return 1;
}

static bool add_value(netsnmp_pdu *pdu, const uint32_t *name, size_t len,
		      const struct subagent_value *value)
{
	oid full[MAX_OID_LEN];
	size_t full_len = subagent_handler_objects(full), i;
	struct subagent_wire wire;

	for (i = 0; i < len; i++)
		full[full_len++] = name[i];
	subagent_handler_encode(value, &wire);
	return snmp_pdu_add_variable(pdu, full, full_len, wire.type, wire.bytes, wire.len) != NULL;
}

static netsnmp_pdu *build(const struct subagent_view *view, const struct yoke_event *event)
{
	static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}; /* snmpTrapOID.0 */
	netsnmp_pdu *pdu = snmp_pdu_create(NOTIFY);
	oid identity[MAX_OID_LEN];
	size_t identity_len = subagent_handler_objects(identity);
	bool ok;
	unsigned i;

	if (pdu == NULL)
		return NULL;
	identity[identity_len - 1] = 0; /* yokeNotifications stands beside yokeObjects */
	identity[identity_len++] = number_of(event->kind);
	ok = snmp_pdu_add_variable(pdu, trap_oid, OID_LENGTH(trap_oid), ASN_OBJECT_ID, identity,
				   identity_len * sizeof(oid)) != NULL;
	for (i = 0; i < SUBAGENT_EVENT_VARBINDS && ok; i++) {
		uint32_t name[SUBAGENT_NAME_MAX];
		struct subagent_value value;
		size_t len = subagent_event_varbind(view, event, i, name, &value);

		ok = add_value(pdu, name, len, &value);
	}
	if (ok)
		return pdu;
	snmp_free_pdu(pdu);
	return NULL;
}

static enum subagent_place send_event(struct subagent_notify *notify,
				      const struct subagent_view *view,
				      const struct yoke_event *event)
{
	netsnmp_pdu *pdu = build(view, event);

	if (pdu == NULL)
		return SUBAGENT_WAITING;
	answered = notify;
	if (!subagent_agentx_send(notify->session, pdu, FOR_EVER_S, on_answer,
				  ticket(notify->generation, event->seq)))
		return SUBAGENT_WAITING;
	notify->sent_total++;
	return SUBAGENT_SENT;
}

/* The event with this number; NULL: it made room for newer ones. */
static const struct yoke_event *find(const struct subagent_ring *ring, uint64_t seq)
{
	const struct yoke_event *event = subagent_ring_after(ring, seq - 1);

	return event != NULL && event->seq == seq ? event : NULL;
}

static void send_waiting(struct subagent_notify *notify, const struct subagent_view *view)
{
	unsigned i;

	for (i = 0; i < notify->count && notify->session != NULL; i++) {
		const struct yoke_event *event;

		if (notify->window[i].place != SUBAGENT_WAITING)
			continue;
		event = find(view->ring, notify->window[i].seq);
		if (event != NULL) {
			notify->window[i].place = send_event(notify, view, event);
			continue;
		}
		yoke_log(YOKE_LOG_ERROR,
			 "event %llu was not sent: too many came while snmpd was away",
			 (unsigned long long)notify->window[i].seq);
		notify->window[i].place = SUBAGENT_DONE;
	}
}

static uint64_t last_taken(const struct subagent_notify *notify)
{
	return notify->count > 0 ? notify->window[notify->count - 1].seq : notify->acknowledged;
}

/* Bring events into the window while there is room. */
static void take_events(struct subagent_notify *notify, const struct subagent_view *view)
{
	const struct yoke_event *event;

	while (notify->count < SUBAGENT_WINDOW &&
	       (event = subagent_ring_after(view->ring, last_taken(notify))) != NULL) {
		uint64_t next = last_taken(notify) + 1;

		if (event->seq > next && next > 1 && view->ring->count == YOKE_EVENTS_MAX &&
		    event == subagent_ring_at(view->ring, 0))
			yoke_log(YOKE_LOG_ERROR,
				 "events %llu to %llu were not sent: too many came while snmpd was "
				 "away",
				 (unsigned long long)next, (unsigned long long)(event->seq - 1));
		notify->window[notify->count].seq = event->seq;
		notify->window[notify->count].place =
			number_of(event->kind) == 0 ? SUBAGENT_DONE : SUBAGENT_WAITING;
		notify->count++;
	}
}

static void leave_front(struct subagent_notify *notify)
{
	unsigned done = 0;

	while (done < notify->count && notify->window[done].place == SUBAGENT_DONE)
		notify->acknowledged = notify->window[done++].seq;
	notify->count -= done;
	memmove(notify->window, notify->window + done, notify->count * sizeof(notify->window[0]));
}

static void save(struct subagent_notify *notify, yoke_time now)
{
	if (notify->saved == notify->acknowledged || !yoke_time_due(notify->save_at, now))
		return;
	if (subagent_cursor_save(notify->file, notify->acknowledged) == 0) {
		notify->saved = notify->acknowledged;
		return;
	}
	yoke_log(YOKE_LOG_ERROR,
		 "%s: %s: after a restart notifications may be sent twice; make the directory "
		 "writable for this user",
		 notify->file, strerror(errno));
	notify->save_at = yoke_time_add_ms(now, SUBAGENT_SAVE_RETRY_MS);
}

void subagent_notify_pump(struct subagent_notify *notify, const struct subagent_view *view,
			  yoke_time now)
{
	unsigned before;

	do {
		before = notify->count;
		take_events(notify, view);
		leave_front(notify);
	} while (notify->count < before);
	take_events(notify, view);
	send_waiting(notify, view);
	leave_front(notify);
	save(notify, now);
}

uint32_t subagent_notify_waiting(const struct subagent_notify *notify,
				 const struct subagent_ring *ring)
{
	const struct yoke_event *event = subagent_ring_after(ring, notify->acknowledged);
	uint32_t waiting = 0;

	for (; event != NULL; event = subagent_ring_after(ring, event->seq))
		waiting += number_of(event->kind) != 0;
	return waiting;
}
