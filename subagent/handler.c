#include "subagent/handler.h"

#include <unistd.h>

size_t subagent_handler_objects(oid *name)
{
	const char *text = YOKE_OID;
	size_t len = 0;

	while (*text != '\0' && len < MAX_OID_LEN - SUBAGENT_NAME_MAX - 2) {
		char *end;

		name[len++] = strtoul(text, &end, 10);
		text = *end == '.' ? end + 1 : end;
		if (end == text)
			break;
	}
	name[len++] = 1; /* yokeObjects */
	return len;
}

void subagent_handler_encode(const struct subagent_value *value, struct subagent_wire *wire)
{
	wire->integer = value->integer;
	wire->number = (u_long)value->number;
	wire->counter.high = (u_long)(value->number >> 32);
	wire->counter.low = (u_long)(value->number & UINT32_MAX);
	switch (value->type) {
	case SUBAGENT_INTEGER:
		wire->type = ASN_INTEGER;
		wire->bytes = &wire->integer;
		wire->len = sizeof(wire->integer);
		break;
	case SUBAGENT_UNSIGNED:
	case SUBAGENT_COUNTER32:
		wire->type = value->type == SUBAGENT_UNSIGNED ? ASN_UNSIGNED : ASN_COUNTER;
		wire->bytes = &wire->number;
		wire->len = sizeof(wire->number);
		break;
	case SUBAGENT_COUNTER64:
		wire->type = ASN_COUNTER64;
		wire->bytes = &wire->counter;
		wire->len = sizeof(wire->counter);
		break;
	case SUBAGENT_OCTETS:
		wire->type = ASN_OCTET_STR;
		wire->bytes = value->octets;
		wire->len = value->len;
		break;
	case SUBAGENT_NONE:
	case SUBAGENT_OTHER:
		wire->type = ASN_NULL;
		wire->bytes = NULL;
		wire->len = 0;
		break;
	}
}

/* The part of a name below yokeObjects.  Returns false when the name is not below it. */
static bool below(const netsnmp_handler_registration *registration,
		  const netsnmp_variable_list *variable, uint32_t *name, size_t *len)
{
	size_t root_len = registration->rootoid_len, i;

	if (variable->name_length < root_len ||
	    snmp_oid_compare(variable->name, root_len, registration->rootoid, root_len) != 0)
		return false;
	*len = variable->name_length - root_len;
	for (i = 0; i < *len; i++)
		name[i] = (uint32_t)variable->name[root_len + i];
	return true;
}

static void answer_get(const struct subagent_view *view, netsnmp_agent_request_info *info,
		       netsnmp_request_info *request, const uint32_t *name, size_t len)
{
	struct subagent_value value;
	struct subagent_wire wire;

	switch (subagent_tree_get(view, name, len, &value)) {
	case SUBAGENT_FOUND:
		subagent_handler_encode(&value, &wire);
		snmp_set_var_typed_value(request->requestvb, wire.type, wire.bytes, wire.len);
		break;
	case SUBAGENT_NO_OBJECT:
		netsnmp_set_request_error(info, request, SNMP_NOSUCHOBJECT);
		break;
	case SUBAGENT_NO_INSTANCE:
		netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
		break;
	}
}

/* Without a next instance the request is left as it is: net-snmp then says end of MIB view. */
static void answer_next(const struct subagent_view *view,
			const netsnmp_handler_registration *registration,
			netsnmp_request_info *request, const uint32_t *name, size_t len)
{
	uint32_t next[SUBAGENT_NAME_MAX];
	oid full[MAX_OID_LEN];
	struct subagent_value value;
	struct subagent_wire wire;
	size_t next_len, i, root_len = registration->rootoid_len;

	if (!subagent_tree_next(view, name, len, request->inclusive != 0, next, &next_len, &value))
		return;
	memcpy(full, registration->rootoid, root_len * sizeof(oid));
	for (i = 0; i < next_len; i++)
		full[root_len + i] = next[i];
	subagent_handler_encode(&value, &wire);
	snmp_set_var_objid(request->requestvb, full, root_len + next_len);
	snmp_set_var_typed_value(request->requestvb, wire.type, wire.bytes, wire.len);
}

int subagent_handler_call(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
			  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	const struct subagent_handler *context = registration->my_reg_void;
	netsnmp_request_info *request;

	(void)handler;
	if (info->mode != MODE_GET && info->mode != MODE_GETNEXT)
		return subagent_set_call(context->set, context->view, registration, info, requests);
	for (request = requests; request != NULL; request = request->next) {
		uint32_t name[MAX_OID_LEN];
		size_t len = 0;
		bool is_below;

		if (request->processed)
			continue;
		is_below = below(registration, request->requestvb, name, &len);
		if (info->mode == MODE_GETNEXT)
			answer_next(context->view, registration, request, name, len);
		else if (is_below)
			answer_get(context->view, info, request, name, len);
	}
	return SNMP_ERR_NOERROR;
}

int subagent_handler_register(struct subagent_handler *context)
{
	oid name[MAX_OID_LEN];
	size_t len = subagent_handler_objects(name);
	netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
		"yokeObjects", subagent_handler_call, name, len, HANDLER_CAN_RWRITE);

	if (registration == NULL)
		return -1;
	registration->my_reg_void = context;
	/* A predecessor of ours that snmpd has not noticed to be gone still holds the subtree with
	 * its own priority; with the same one we would be refused as a duplicate. */
	registration->priority = 1 + (int)(getpid() % 126);
	return netsnmp_register_handler(registration) == MIB_REGISTERED_OK ? 0 : -1;
}
