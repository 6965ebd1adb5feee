/* agent/saver.h: the record is replaced as a whole, by a file whose blocks were there before, and
 * what was there before a start is kept.  The saver is a process, as it is for the keeper. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/saver.h"

enum { LONG = 9000, SHORT = 100, WAIT_MS = 10000 };

static char dir[64];
static int dir_fd, keeper_fd;
static pid_t saver;
static struct agent_channel_message m;
static char found[YOKE_RECORD_SIZE + 1];
static size_t file_max;  /* the largest file that the saver can write, bytes; 0: any */
static bool no_exchange; /* as on a file system that cannot */
static bool no_look;     /* a disk that does not say what is there */

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/yoke-saver-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	saver = 0;
	file_max = 0;
	no_exchange = no_look = false;
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"record", "record.new", "record.old", "events"};

	(void)state;
	if (saver != 0) {
		kill(saver, SIGKILL);
		waitpid(saver, NULL, 0);
		close(keeper_fd);
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir_fd, names[i], 0);
	close(dir_fd);
	return rmdir(dir);
}

static void put(const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* What is in a file, "" if there is none. */
static const char *text_of(const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, found, sizeof(found) - 1);

	assert_true(n >= 0);
	found[n] = '\0';
	if (fd >= 0)
		close(fd);
	return found;
}

/* From now on so fails every `call` whose argument `number` is `value`. */
static void refuse(uint32_t call, unsigned number, uint32_t value, uint16_t error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)offsetof(struct seccomp_data, args) + number * 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(1);
}

static void start(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	saver = fork();
	assert_true(saver >= 0);
	if (saver == 0) {
		struct rlimit limit = {.rlim_cur = file_max, .rlim_max = file_max};

		signal(SIGXFSZ, SIG_IGN);
		close(pair[0]);
		if (file_max != 0 && setrlimit(RLIMIT_FSIZE, &limit) < 0)
			_exit(1);
		if (no_exchange)
			refuse(SYS_renameat2, 4, RENAME_EXCHANGE, EINVAL);
		if (no_look)
			refuse(SYS_newfstatat, 3, AT_SYMLINK_NOFOLLOW, EIO);
		_exit(agent_saver_run(pair[1], dir));
	}
	close(pair[1]);
	keeper_fd = pair[0];
	assert_int_equal(agent_channel_wait(keeper_fd, &m, WAIT_MS), 1);
	assert_int_equal(m.kind, AGENT_CHANNEL_RECORD);
}

/* It has done what it was asked to. */
static void stop(void)
{
	int status;

	close(keeper_fd);
	assert_int_equal(waitpid(saver, &status, 0), saver);
	saver = 0;
	assert_int_equal(status, 0);
}

static bool save(const char *text)
{
	memset(&m, 0, sizeof(m));
	m.kind = AGENT_CHANNEL_SAVE;
	m.u.record.size = (uint32_t)strlen(text);
	memcpy(m.u.record.bytes, text, strlen(text));
	assert_int_equal(agent_channel_send_patiently(keeper_fd, &m), 0);
	assert_int_equal(agent_channel_wait(keeper_fd, &m, WAIT_MS), 1);
	assert_int_equal(m.kind, AGENT_CHANNEL_SAVED);
	return m.u.saved.ok;
}

static const char *text_with(char c, size_t size)
{
	static char text[YOKE_RECORD_SIZE];

	memset(text, c, size);
	text[size] = '\0';
	return text;
}

static ino_t inode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, name, &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
	return st.st_ino;
}

static void two_files_take_turns(void **state)
{
	ino_t record, spare;

	(void)state;
	start();
	assert_int_equal(m.u.record.size, 0);
	assert_true(save("one"));
	assert_string_equal(text_of("record"), "one");
	assert_true(save("two")); /* there is a spare from now on */
	record = inode_of("record");
	spare = inode_of("record.new");
	for (int i = 0; i < 5; i++) {
		const char *text = i % 2 == 0 ? text_with('a', LONG) : text_with('b', SHORT);
		ino_t was = record;

		assert_true(save(text));
		assert_string_equal(text_of("record"), text);
		record = inode_of("record");
		assert_int_equal(record, spare);
		spare = was;
	}
	stop();
	start();
	assert_int_equal(m.u.record.size, LONG);
	stop();
	assert_string_equal(text_of("record.old"), "");
}

static void check_reserved(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, name, &st, 0), 0);
	assert_true((size_t)st.st_blocks * 512 >= YOKE_RECORD_SIZE);
}

/* Also of a record that is shorter than the one before. */
static void the_blocks_are_there_before(void **state)
{
	int fd = openat(dir_fd, "record.new", O_WRONLY | O_CREAT, 0600);
	bool can = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, YOKE_RECORD_SIZE) == 0;

	(void)state;
	close(fd);
	unlinkat(dir_fd, "record.new", 0);
	if (!can)
		skip();
	start();
	assert_true(save(text_with('a', LONG)));
	assert_true(save(text_with('b', LONG)));
	assert_true(save(text_with('c', SHORT)));
	assert_true(save("d"));
	check_reserved("record");
	stop();
	check_reserved("record.new");
}

static void check_starts(void)
{
	static const char *const names[] = {"first", "second", "third", "fourth"};
	const char *before = "by hand";

	put("record", before);
	for (int i = 0; i < 4; i++) {
		start();
		for (int n = 0; n < 4; n++) {
			assert_true(save("between"));
			assert_string_equal(text_of("record.old"), before);
			assert_true(save(names[i]));
			assert_string_equal(text_of("record"), names[i]);
			assert_string_equal(text_of("record.old"), before);
		}
		stop();
		before = names[i];
	}
	/* A start without a save. */
	start();
	stop();
	assert_string_equal(text_of("record.old"), "third");
	inode_of("record.new");
}

static void what_was_there_before_the_start_is_kept(void **state)
{
	(void)state;
	check_starts();
}

static void also_where_nothing_can_be_exchanged(void **state)
{
	(void)state;
	no_exchange = true;
	check_starts();
	/* What was done here goes on elsewhere, and the other way round. */
	for (int i = 0; i < 4; i++) {
		no_exchange = i % 2 != 0;
		unlinkat(dir_fd, "record", 0);
		check_starts();
	}
}

/* The program before this one gave the record a second name; and the spare may have one, too. */
static void a_file_with_two_names_is_not_written_over(void **state)
{
	static const char *const second[] = {"record.old", "record.new"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		unlinkat(dir_fd, "record", 0);
		put("record", "kept");
		unlinkat(dir_fd, second[i], 0);
		assert_int_equal(linkat(dir_fd, "record", dir_fd, second[i], 0), 0);
		start();
		for (int n = 0; n < 3; n++) {
			assert_true(save(n % 2 == 0 ? "even" : "odd"));
			assert_string_equal(text_of("record.old"), "kept");
			assert_string_equal(text_of("record"), n % 2 == 0 ? "even" : "odd");
		}
		stop();
	}
}

static void nor_is_one_that_may_have_two(void **state)
{
	(void)state;
	put("record", "kept");
	assert_int_equal(linkat(dir_fd, "record", dir_fd, "record.new", 0), 0);
	no_look = true;
	start();
	assert_false(save("new"));
	assert_string_equal(m.u.saved.reason, "record.new: Input/output error");
	assert_string_equal(text_of("record"), "kept");
	stop();
}

/* What an aborted save or a stranger has left is a spare like any other; one that cannot be is
 * replaced. */
static void any_spare_will_do(void **state)
{
	(void)state;
	put("record", "record");
	put("record.new", text_with('x', LONG));
	start();
	assert_true(save("one"));
	stop();
	assert_string_equal(text_of("record"), "one");
	unlinkat(dir_fd, "record.new", 0);
	assert_int_equal(mkfifoat(dir_fd, "record.new", 0600), 0);
	start();
	assert_true(save("two"));
	assert_string_equal(text_of("record"), "two");
	assert_string_equal(text_of("record.old"), "one");
	stop();
}

static void a_folder_is_in_the_way(const char *name)
{
	char why[YOKE_REASON_SIZE], inside[32];

	snprintf(why, sizeof(why), "%s is a folder that is not empty: remove it", name);
	snprintf(inside, sizeof(inside), "%s/inside", name);
	unlinkat(dir_fd, name, 0);
	assert_int_equal(mkdirat(dir_fd, name, 0700), 0);
	put(inside, "");
	start();
	for (int i = 0; i < 2; i++) {
		assert_false(save("not saved"));
		assert_string_equal(m.u.saved.reason, why);
	}
	unlinkat(dir_fd, inside, 0);
	for (int i = 0; i < 3; i++) {
		const char *text = text_with((char)('a' + i), SHORT);

		assert_true(save(text));
		assert_string_equal(text_of("record"), text);
	}
	stop();
	inode_of("record.new");
}

/* Emptied, it goes by itself. */
static void a_folder_in_the_place_of_a_file(void **state)
{
	static const char *const names[] = {"record", "record.new", "record.old"};

	(void)state;
	for (int i = 0; i < 6; i++) {
		no_exchange = i % 2 != 0;
		put("record", "before");
		put("record.old", "before that");
		a_folder_is_in_the_way(names[i / 2]);
		if (i >= 2)
			assert_string_equal(text_of("record.old"), "before");
	}
}

static void a_save_that_breaks_off_harms_nothing(void **state)
{
	(void)state;
	put("record", "before");
	start();
	assert_true(save("whole"));
	stop();
	file_max = SHORT;
	for (int i = 0; i < 2; i++) {
		start();
		assert_int_equal(m.u.record.size, strlen("whole"));
		assert_memory_equal(m.u.record.bytes, "whole", strlen("whole"));
		assert_false(save(text_with('x', LONG)));
		assert_non_null(strstr(m.u.saved.reason, "record.new: "));
		assert_string_equal(text_of("record"), "whole");
		assert_string_equal(text_of("record.old"), "before");
		stop();
		assert_int_equal(strlen(text_of("record.new")), SHORT);
	}
	start();
	assert_false(save(text_with('x', LONG)));
	assert_true(save("again"));
	assert_string_equal(text_of("record"), "again");
	assert_string_equal(text_of("record.old"), "whole");
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_files_take_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_blocks_are_there_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_there_before_the_start_is_kept, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(also_where_nothing_can_be_exchanged, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_with_two_names_is_not_written_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nor_is_one_that_may_have_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_spare_will_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_in_the_place_of_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_save_that_breaks_off_harms_nothing, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
