#include "subagent/set.h"

#include "agent/base/log.h"

uint32_t subagent_set_lock(const struct subagent_set *set)
{
	uint32_t lock = set->feed->snapshot.control_lock;

	if (lock < set->lock_floor)
		lock = set->lock_floor;
	return (lock + set->lock_extra) & INT32_MAX;
}

static void decode(const netsnmp_variable_list *variable, struct subagent_value *value)
{
	switch (variable->type) {
	case ASN_INTEGER:
		subagent_value_integer(value, (int32_t)*variable->val.integer);
		break;
	case ASN_UNSIGNED:
		subagent_value_unsigned(value, (uint32_t)*variable->val.integer);
		break;
	case ASN_OCTET_STR:
		subagent_value_octets(value, variable->val.string, variable->val_len);
		break;
	default:
		value->type = SUBAGENT_OTHER;
		value->len = 0;
		break;
	}
}

static void refused(struct subagent_set *set, netsnmp_agent_request_info *info,
		    netsnmp_request_info *request, enum subagent_error error)
{
	set->refused_total++;
	netsnmp_set_request_error(info, request, (int)error);
}

static enum subagent_error check(struct subagent_set *set, const struct subagent_view *view,
				 const netsnmp_handler_registration *registration,
				 const netsnmp_variable_list *variable)
{
	uint32_t name[MAX_OID_LEN];
	size_t len = variable->name_length - registration->rootoid_len, i;
	struct subagent_value value;

	for (i = 0; i < len; i++)
		name[i] = (uint32_t)variable->name[registration->rootoid_len + i];
	decode(variable, &value);
	return subagent_wish_add(&set->wish, view, name, len, &value);
}

static void reserve(struct subagent_set *set, const struct subagent_view *view,
		    const netsnmp_handler_registration *registration,
		    netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	netsnmp_request_info *request;

	subagent_wish_init(&set->wish);
	set->accepted = false;
	for (request = requests; request != NULL; request = request->next) {
		enum subagent_error error;

		if (request->processed)
			continue;
		error = check(set, view, registration, request->requestvb);
		if (error == SUBAGENT_NO_ERROR)
			continue;
		yoke_log(YOKE_LOG_WARNING, "SET refused: %s", set->wish.fault);
		if (set->wish.engine_refuses)
			subagent_feed_report(set->feed, &set->wish.request);
		refused(set, info, request, error);
		return;
	}
}

/* The varbind that carries the request: its error is the one the manager should see. */
static netsnmp_request_info *request_of(const netsnmp_handler_registration *registration,
					netsnmp_request_info *requests)
{
	netsnmp_request_info *request;

	for (request = requests; request->next != NULL; request = request->next)
		if (request->requestvb->name_length == registration->rootoid_len + 5)
			break;
	return request;
}

static void act(struct subagent_set *set, const netsnmp_handler_registration *registration,
		netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	netsnmp_request_info *request = request_of(registration, requests);
	enum yoke_verdict verdict;
	uint32_t lock = subagent_set_lock(set);

	if (!set->wish.has_request)
		return;
	if (subagent_feed_operate(set->feed, &set->wish.request, SUBAGENT_SET_WAIT_MS, &verdict)) {
		yoke_log(YOKE_LOG_WARNING, "SET: the engine did not answer; the operation table "
					   "will tell whether it acted");
		refused(set, info, request, SUBAGENT_RESOURCE_UNAVAILABLE);
		return;
	}
	if (verdict != YOKE_OK) {
		yoke_log(YOKE_LOG_WARNING, "SET refused by the engine: %s",
			 yoke_verdict_advice(verdict));
		refused(set, info, request, subagent_control_error(verdict));
		return;
	}
	set->accepted = true;
	set->accepted_total++;
	set->lock_floor = lock - set->lock_extra + 1;
}

static void undo(struct subagent_set *set, const netsnmp_handler_registration *registration,
		 netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	if (!set->accepted)
		return;
	yoke_log(YOKE_LOG_WARNING,
		 "a SET failed elsewhere after its request was accepted here: "
		 "operation %u goes on",
		 set->feed->operation);
	set->accepted = false;
	netsnmp_set_request_error(info, request_of(registration, requests),
				  (int)SUBAGENT_UNDO_FAILED);
}

int subagent_set_call(struct subagent_set *set, const struct subagent_view *view,
		      const netsnmp_handler_registration *registration,
		      netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	switch (info->mode) {
	case MODE_SET_RESERVE1:
		reserve(set, view, registration, info, requests);
		break;
	case MODE_SET_ACTION:
		act(set, registration, info, requests);
		break;
	case MODE_SET_COMMIT:
		if (set->wish.has_lock && !set->accepted)
			set->lock_extra++;
		break;
	case MODE_SET_UNDO:
		undo(set, registration, info, requests);
		break;
	}
	return SNMP_ERR_NOERROR;
}
