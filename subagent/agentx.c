#include "subagent/agentx.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/ds_agent.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <net-snmp/library/large_fd_set.h>
#include <sys/socket.h>

#include "agent/base/log.h"
#include "subagent/handler.h"

#define NAME "yoke-snmp"

enum {
	PING = 13,      /* h.type, RFC 2741, 6.1 */
	NOT_OPEN = 257, /* res.error, RFC 2741, 7.1 */
	FOR_EVER_S = 1000000,
};

static struct {
	struct subagent_notify *notify;
	netsnmp_session *session; /* NULL: none */
	uint32_t sessions;
	bool pinging, not_open;
	yoke_time ping_at;
	netsnmp_large_fd_set fds;
} agentx;

static int on_log(int major, int minor, void *message, void *unused)
{
	const struct snmp_log_message *line = message;
	int len = (int)strcspn(line->msg, "\n");

	(void)major;
	(void)minor;
	(void)unused;
	yoke_log(line->priority <= LOG_ERR       ? YOKE_LOG_ERROR
		 : line->priority == LOG_WARNING ? YOKE_LOG_WARNING
						 : YOKE_LOG_INFO,
		 "net-snmp: %.*s", len, line->msg);
	return 0;
}

static int on_session_init(int major, int minor, void *session, void *unused)
{
	(void)major;
	(void)minor;
	(void)unused;
	((netsnmp_session *)session)->timeout = SUBAGENT_AGENTX_WAIT_MS * 1000L;
	((netsnmp_session *)session)->retries = 0;
	return 0;
}

static int on_start(int major, int minor, void *session, void *unused)
{
	(void)major;
	(void)minor;
	(void)unused;
	agentx.session = session;
	agentx.sessions++;
	agentx.pinging = false;
	agentx.not_open = false;
	agentx.ping_at = (yoke_time){0};
	subagent_notify_session(agentx.notify, session);
	return 0;
}

static int on_stop(int major, int minor, void *session, void *unused)
{
	(void)major;
	(void)minor;
	(void)session;
	(void)unused;
	agentx.session = NULL;
	subagent_notify_session(agentx.notify, NULL);
	return 0;
}

static void set_flag(int store, int which)
{
	netsnmp_ds_set_boolean(store, which, 1);
}

void subagent_agentx_start(const char *address, struct subagent_notify *notify)
{
	agentx.notify = notify;
	netsnmp_large_fd_set_init(&agentx.fds, FD_SETSIZE);
	/* Names are never printed: no MIB is read.  Nothing of /etc/snmp is ours. */
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/nonexistent", 1);
	snmp_disable_log();
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, NULL);
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, on_session_init,
			       NULL);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_start,
			       NULL);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_stop, NULL);
	netsnmp_enable_subagent();
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS);
	set_flag(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_ROOT_ACCESS);
	set_flag(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS);
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, address);
	init_agent(NAME);
	/* After init_agent(), which sets it to 15.  It is also the time between two attempts. */
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
			   SUBAGENT_AGENTX_RETRY_S);
}

/* yokeCapabilities in sysORTable: by it a manager finds out that yoke runs here. */
static void register_capabilities(void)
{
	oid name[MAX_OID_LEN];
	size_t len = subagent_handler_objects(name);

	name[len - 1] = 2; /* yokeConformance stands beside yokeObjects */
	name[len++] = 3;
	register_sysORTable(name, len, "yoke " YOKE_VERSION);
}

void subagent_agentx_open(void)
{
	register_capabilities();
	init_snmp(NAME);
	if (agentx.session == NULL)
		yoke_log(YOKE_LOG_WARNING,
			 "no snmpd yet: does its configuration say 'master agentx', and may this "
			 "user open its AgentX socket (agentXPerms)?");
}

bool subagent_agentx_send(netsnmp_session *session, netsnmp_pdu *pdu, int timeout_s,
			  snmp_callback callback, void *magic)
{
	pdu->sessid = session->sessid;
	pdu->flags |= UCD_MSG_FLAG_EXPECT_RESPONSE | UCD_MSG_FLAG_PDU_TIMEOUT;
	pdu->time = (u_long)timeout_s;
	if (snmp_async_send(session, pdu, callback, magic) != 0)
		return true;
	snmp_free_pdu(pdu);
	return false;
}

static int on_ping(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu,
		   void *magic)
{
	(void)session;
	(void)reqid;
	if (magic != (void *)(uintptr_t)agentx.sessions)
		return 1;
	agentx.pinging = false;
	if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == NOT_OPEN)
		agentx.not_open = true;
	return 1;
}

static void ping(yoke_time now)
{
	netsnmp_pdu *pdu;

	if (agentx.pinging || !yoke_time_due(agentx.ping_at, now))
		return;
	agentx.ping_at = yoke_time_add_ms(now, SUBAGENT_AGENTX_PING_MS);
	pdu = snmp_pdu_create(PING);
	if (pdu != NULL)
		agentx.pinging = subagent_agentx_send(agentx.session, pdu, FOR_EVER_S, on_ping,
						      (void *)(uintptr_t)agentx.sessions);
}

/* End the stream: net-snmp then does all that belongs to the end of a session. */
static void hang_up(void)
{
	netsnmp_transport *transport = snmp_sess_transport(snmp_sess_pointer(agentx.session));

	yoke_log(YOKE_LOG_WARNING, "snmpd has closed our session: opening another");
	agentx.not_open = false;
	agentx.notify->not_open = false;
	if (transport != NULL)
		shutdown(transport->sock, SHUT_RDWR);
}

void subagent_agentx_tick(yoke_time now)
{
	if (agentx.session == NULL)
		return;
	/* net-snmp keeps the number of its ping alarm here. */
	if (agentx.session->securityModel != SNMP_DEFAULT_SECMODEL) {
		snmp_alarm_unregister((unsigned)agentx.session->securityModel);
		agentx.session->securityModel = SNMP_DEFAULT_SECMODEL;
	}
	if (agentx.not_open || agentx.notify->not_open)
		hang_up();
	else
		ping(now);
}

void subagent_agentx_wait(const int *fds, bool *readable, unsigned count, yoke_time deadline,
			  yoke_time now)
{
	struct timeval timeout = {0}, ours = {0};
	int numfds = 0, block = 1, ready;
	int64_t span_us = yoke_time_span_us(now, deadline);
	unsigned i;

	if (span_us > 0)
		ours = (struct timeval){span_us / 1000000, span_us % 1000000};
	NETSNMP_LARGE_FD_ZERO(&agentx.fds);
	snmp_select_info2(&numfds, &agentx.fds, &timeout, &block);
	if (block || timercmp(&ours, &timeout, <))
		timeout = ours;
	for (i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		NETSNMP_LARGE_FD_SET(fds[i], &agentx.fds);
		numfds = fds[i] >= numfds ? fds[i] + 1 : numfds;
	}
	ready = netsnmp_large_fd_set_select(numfds, &agentx.fds, NULL, NULL, &timeout);
	for (i = 0; i < count; i++) {
		readable[i] =
			ready > 0 && fds[i] >= 0 && NETSNMP_LARGE_FD_ISSET(fds[i], &agentx.fds);
		if (!readable[i])
			continue;
		NETSNMP_LARGE_FD_CLR(fds[i], &agentx.fds);
		ready--;
	}
	if (ready > 0) {
		snmp_read2(&agentx.fds);
	} else {
		snmp_timeout();
		run_alarms();
	}
	netsnmp_check_outstanding_agent_requests();
}

uint32_t subagent_agentx_sessions(void)
{
	return agentx.sessions;
}
