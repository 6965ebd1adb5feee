#include "agent/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/base/limits.h"

static const cap_value_t kept[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_NICE, CAP_IPC_LOCK};
enum { KEPT_COUNT = sizeof(kept) / sizeof(kept[0]) };

int agent_privilege_user(const char *name, uid_t *uid, gid_t *gid, char *why)
{
	struct passwd *pw = getpwnam(name);

	if (pw == NULL) {
		snprintf(why, YOKE_REASON_SIZE, "no user '%.31s': useradd --system %.31s", name,
			 name);
		return -1;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static int keep_rights(void)
{
	cap_t caps = cap_init();
	int rc = -1;

	if (caps == NULL)
		return -1;
	if (cap_set_flag(caps, CAP_PERMITTED, KEPT_COUNT, kept, CAP_SET) == 0 &&
	    cap_set_flag(caps, CAP_EFFECTIVE, KEPT_COUNT, kept, CAP_SET) == 0 &&
	    cap_set_flag(caps, CAP_INHERITABLE, KEPT_COUNT, kept, CAP_SET) == 0 &&
	    cap_set_proc(caps) == 0)
		rc = 0;
	cap_free(caps);
	for (int i = 0; rc == 0 && i < KEPT_COUNT; i++)
		rc = cap_set_ambient(kept[i], CAP_SET);
	return rc;
}

int agent_privilege_become(uid_t uid, gid_t gid, bool keep)
{
	if (prctl(PR_SET_KEEPCAPS, keep ? 1 : 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -1;
	if (keep && keep_rights() < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int agent_privilege_bind(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -1;
	return 0;
}

int agent_privilege_realtime(int priority, bool on_fault, char *why)
{
	struct sched_param param = {.sched_priority = priority};
	int locked = 0, scheduled = 0;

	if (mlockall(MCL_CURRENT | MCL_FUTURE | (on_fault ? MCL_ONFAULT : 0)) < 0)
		locked = errno;
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) < 0)
		scheduled = errno;
	if (locked == 0 && scheduled == 0)
		return 0;
	snprintf(why, YOKE_REASON_SIZE, "mlockall: %.30s, SCHED_RR: %.30s",
		 locked == 0 ? "ok" : strerror(locked),
		 scheduled == 0 ? "ok" : strerror(scheduled));
	return -1;
}
