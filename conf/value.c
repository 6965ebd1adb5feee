#include "conf/value.h"

#include <arpa/inet.h>
#include <net/if.h>

enum { PREFIX_DIGITS_MAX = 3, IPV6_SCOPE_LINK = 2, IPV6_SCOPE_RESERVED = 0xf };

const struct conf_value *conf_values_find(const struct conf_values *values, const char *key,
					  unsigned *count)
{
	const struct conf_value *end = values->value + values->count, *first = values->value, *last;

	while (first < end && strcmp(first->key, key) != 0)
		first++;
	for (last = first; last < end && strcmp(last->key, key) == 0;)
		last++;
	if (count != NULL)
		*count = (unsigned)(last - first);
	return first < end ? first : NULL;
}

bool conf_value_number(struct conf_value v, uint32_t min, uint32_t max, const char *unit,
		       uint32_t *out, struct conf_problems *problems)
{
	const char *digits = v.text + (v.text[0] == '-');
	const char *space = unit[0] != '\0' ? " " : "";
	uint64_t number = 0;

	*out = 0;
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') {
		conf_problem(problems, v.line, false,
			     "%s = %.40s is not a whole number of %u..%u%s%s", v.key, v.text, min,
			     max, space, unit);
		return false;
	}
	for (; *digits != '\0' && number <= max; digits++)
		number = 10 * number + (uint64_t)(*digits - '0');
	if (v.text[0] == '-' || number < min || number > max) {
		conf_problem(problems, v.line, false, "%s = %.40s is out of range: %u..%u%s%s",
			     v.key, v.text, min, max, space, unit);
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

bool conf_value_boolean(struct conf_value v, bool *out, struct conf_problems *problems)
{
	if (strcmp(v.text, "yes") != 0 && strcmp(v.text, "no") != 0) {
		conf_problem(problems, v.line, false, "%s = %.40s: write yes or no", v.key, v.text);
		return false;
	}
	*out = v.text[0] == 'y';
	return true;
}

bool conf_value_name(struct conf_value v, char out[YOKE_NAME_SIZE], struct conf_problems *problems)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	snprintf(out, YOKE_NAME_SIZE, "%s", v.text);
	if (v.text[0] == '\0')
		conf_problem(problems, v.line, false, "the name of this %s is empty", v.key);
	else if (strlen(v.text) >= YOKE_NAME_SIZE)
		conf_problem(problems, v.line, false,
			     "the %s name \"%.40s\" is too long: at most %d characters", v.key,
			     v.text, YOKE_NAME_SIZE - 1);
	else if (v.text[strspn(v.text, allowed)] != '\0' || v.text[0] == '-')
		conf_problem(problems, v.line, false,
			     "the %s name \"%s\" may hold A-Z a-z 0-9 . _ - only, and not begin "
			     "with '-'",
			     v.key, v.text);
	else
		return true;
	return false;
}

bool conf_value_file(struct conf_value v, size_t max, char out[CONF_FILE_SIZE],
		     struct conf_problems *problems)
{
	if (v.text[0] != '/') {
		conf_problem(problems, v.line, false,
			     "%s = \"%.60s\" is not absolute: begin it with '/'", v.key, v.text);
		return false;
	}
	if (strlen(v.text) > max) {
		conf_problem(problems, v.line, false,
			     "%s = \"%.60s...\" is too long: at most %zu bytes", v.key, v.text,
			     max);
		return false;
	}
	snprintf(out, CONF_FILE_SIZE, "%s", v.text);
	return true;
}

bool conf_value_agentx(struct conf_value v, char out[CONF_FILE_SIZE],
		       struct conf_problems *problems)
{
	if (strncmp(v.text, "tcp:", 4) != 0 && strncmp(v.text, "unix:", 5) != 0)
		return conf_value_file(v, CONF_FILE_SIZE - 1, out, problems);
	if (strlen(v.text) >= CONF_FILE_SIZE) {
		conf_problem(problems, v.line, false,
			     "%s = \"%.60s...\" is too long: at most %d bytes", v.key, v.text,
			     CONF_FILE_SIZE - 1);
		return false;
	}
	snprintf(out, CONF_FILE_SIZE, "%s", v.text);
	return true;
}

bool conf_value_interface(struct conf_value v, char out[YOKE_NAME_SIZE],
			  struct conf_problems *problems)
{
	out[0] = '\0';
	if (v.text[0] == '\0' || strlen(v.text) >= IF_NAMESIZE ||
	    v.text[strcspn(v.text, "/: ")] != '\0' || strcmp(v.text, ".") == 0 ||
	    strcmp(v.text, "..") == 0) {
		conf_problem(
			problems, v.line, false,
			"%s = \"%.40s\" is no interface name: 1..%d characters without '/', ':' "
			"and blanks",
			v.key, v.text, IF_NAMESIZE - 1);
		return false;
	}
	snprintf(out, YOKE_NAME_SIZE, "%s", v.text);
	return true;
}

bool conf_value_program(struct conf_value v, struct conf_problems *problems)
{
	if (v.text[0] == '/' && v.text[1] != '\0')
		return true;
	conf_problem(problems, v.line, false,
		     "%s = \"%.60s\" is not the absolute path of a program: begin it with '/'",
		     v.key, v.text);
	return false;
}

bool conf_value_words(const struct conf_value *words, unsigned count, char out[CONF_COMMAND_SIZE],
		      struct conf_problems *problems)
{
	size_t used = 0;

	memset(out, 0, CONF_COMMAND_SIZE);
	for (unsigned i = 0; i < count; i++) {
		size_t size = strlen(words[i].text) + 1;

		if (i == CONF_WORDS_MAX || used + size + 1 > CONF_COMMAND_SIZE) {
			conf_problem(problems, words[i].line, false,
				     "%s is too long: at most %d words of %d bytes together",
				     words[i].key, CONF_WORDS_MAX, CONF_COMMAND_SIZE - 1);
			memset(out, 0, CONF_COMMAND_SIZE);
			return false;
		}
		if (size == 1) {
			conf_problem(problems, words[i].line, false,
				     "%s has an empty word: remove it", words[i].key);
			memset(out, 0, CONF_COMMAND_SIZE);
			return false;
		}
		memcpy(out + used, words[i].text, size);
		used += size;
	}
	return true;
}

bool conf_value_command(const struct conf_value *words, unsigned count, char out[CONF_COMMAND_SIZE],
			struct conf_problems *problems)
{
	memset(out, 0, CONF_COMMAND_SIZE);
	return conf_value_program(words[0], problems) &&
	       conf_value_words(words, count, out, problems);
}

const char *conf_command_next(const char command[CONF_COMMAND_SIZE], const char *word)
{
	const char *following = word == NULL ? command : word + strlen(word) + 1;

	return following[0] == '\0' ? NULL : following;
}

/* Why an IPv4 address (network order) cannot be one machine's; NULL: it can. */
static const char *refuse_ipv4(const uint8_t a[4])
{
	if (a[0] == 0)
		return "not the address of a machine";
	if (a[0] >= 224)
		return "a multicast, reserved or broadcast address; use a unicast one";
	return NULL;
}

static const char *refuse_ipv6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "not the address of a machine";
	if (IN6_IS_ADDR_MULTICAST(a))
		return "a multicast address; use a unicast one";
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a))
		return IN6_IS_ADDR_LOOPBACK(a) ? NULL
					       : "an IPv4 address in disguise; write it as IPv4";
	return NULL;
}

/* Parse into bytes (4 or 16, network order).  Returns the family; 0: *why says why not. */
static int parse_address(const char *text, uint8_t bytes[16], const char **why)
{
	struct in6_addr six;

	memset(bytes, 0, 16);
	if (inet_pton(AF_INET, text, bytes) == 1) {
		*why = refuse_ipv4(bytes);
		return *why == NULL ? AF_INET : 0;
	}
	if (inet_pton(AF_INET6, text, &six) == 1) {
		memcpy(bytes, &six, sizeof(six));
		*why = refuse_ipv6(&six);
		return *why == NULL ? AF_INET6 : 0;
	}
	*why = strchr(text, '%') != NULL
		       ? "not an address; write the interface as interface = \"...\""
		       : "not an IPv4 or IPv6 address (host names are not looked up)";
	return 0;
}

/* Returns the size of what is filled in. */
static socklen_t fill_address(int family, const uint8_t *bytes, uint16_t port,
			      struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	if (family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

bool conf_value_endpoint(struct conf_value v, uint16_t port, struct conf_endpoint *out,
			 struct conf_problems *problems)
{
	uint8_t bytes[16];
	const char *why;
	int family = parse_address(v.text, bytes, &why);

	out->address_len = 0;
	if (family == 0) {
		conf_problem(problems, v.line, false, "%s = \"%.50s\" is %s", v.key, v.text, why);
		return false;
	}
	out->address_len = fill_address(family, bytes, port, &out->address);
	return true;
}

/* Why an IPv6 multicast address is of no use here; NULL: it is.  Its scope is in its second byte,
 * RFC 4291 section 2.7. */
static const char *refuse_scope(const struct in6_addr *a)
{
	unsigned scope = a->s6_addr[1] & 0xfU;

	if (!IN6_IS_ADDR_MULTICAST(a))
		return "no multicast address; use one as ff15::4747 or 239.0.0.7";
	if (scope < IPV6_SCOPE_LINK || scope == IPV6_SCOPE_RESERVED)
		return "of a scope that does not reach the other node; use one as ff15::4747";
	return NULL;
}

bool conf_value_multicast(struct conf_value v, uint16_t port, struct sockaddr_storage *out,
			  struct conf_problems *problems)
{
	const char *why = NULL;
	struct in6_addr six;
	struct in_addr four;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, v.text, &four) == 1) {
		if (IN_MULTICAST(ntohl(four.s_addr)))
			(void)fill_address(AF_INET, (const uint8_t *)&four, port, out);
		else
			why = "no multicast address; use one as 239.0.0.7";
	} else if (inet_pton(AF_INET6, v.text, &six) == 1) {
		why = refuse_scope(&six);
		if (why == NULL)
			(void)fill_address(AF_INET6, six.s6_addr, port, out);
	} else {
		why = strchr(v.text, '%') != NULL
			      ? "not an address; write the interface as interface = \"...\""
			      : "not an IPv4 or IPv6 address; use one as 239.0.0.7 or ff15::4747";
	}
	if (why != NULL)
		conf_problem(problems, v.line, false, "%s = \"%.50s\" is %s", v.key, v.text, why);
	return why == NULL;
}

/* Are the bits from `first` on all `value`? */
static bool bits_are(const uint8_t *bytes, unsigned first, unsigned end, unsigned value)
{
	for (unsigned i = first; i < end; i++) {
		if ((bytes[i / 8] >> (7 - i % 8) & 1U) != value)
			return false;
	}
	return true;
}

/* Why the address cannot be given to a machine in a network of that prefix; NULL: it can. */
static const char *refuse_service(int family, const uint8_t *bytes, unsigned prefix_len)
{
	unsigned bits = family == AF_INET ? 32 : 128;
	struct in6_addr six;

	memcpy(&six, bytes, sizeof(six));
	if (family == AF_INET ? bytes[0] == 127 : IN6_IS_ADDR_LOOPBACK(&six))
		return "a loopback address; use one that clients can reach";
	if (prefix_len + 1 < bits && bits_are(bytes, prefix_len, bits, 0))
		return "the network's own address; use one inside it";
	if (family == AF_INET && prefix_len + 1 < bits && bits_are(bytes, prefix_len, bits, 1))
		return "the network's broadcast address; use one inside it";
	return NULL;
}

/* 1..max; 0: it is not. */
static unsigned parse_prefix(const char *text, unsigned max)
{
	size_t digits = strspn(text, "0123456789");
	unsigned number = 0;

	if (digits == 0 || digits > PREFIX_DIGITS_MAX || text[digits] != '\0')
		return 0;
	for (size_t i = 0; i < digits; i++)
		number = 10 * number + (unsigned)(text[i] - '0');
	return number <= max ? number : 0;
}

bool conf_value_service(struct conf_value v, struct conf_resource *out,
			struct conf_problems *problems)
{
	char text[INET6_ADDRSTRLEN];
	const char *slash = strchr(v.text, '/');
	size_t size = slash != NULL ? (size_t)(slash - v.text) : strlen(v.text);
	const char *why;
	unsigned bits, prefix_len;
	int family;

	out->family = 0;
	snprintf(text, sizeof(text), "%.*s", (int)(size < sizeof(text) ? size : sizeof(text) - 1),
		 v.text);
	family = parse_address(text, out->address, &why);
	if (family == 0 || size >= sizeof(text)) {
		conf_problem(problems, v.line, false, "%s = \"%.50s\" is %s", v.key, v.text,
			     family == 0 ? why : "not an IPv4 or IPv6 address");
		return false;
	}
	bits = family == AF_INET ? 32 : 128;
	prefix_len = slash != NULL ? parse_prefix(slash + 1, bits) : 0;
	if (prefix_len == 0) {
		conf_problem(problems, v.line, false,
			     "%s = \"%.50s\" needs a prefix length of 1..%u bits, as in \"%s/%u\"",
			     v.key, v.text, bits, text, family == AF_INET ? 24U : 64U);
		return false;
	}
	why = refuse_service(family, out->address, prefix_len);
	if (why != NULL) {
		conf_problem(problems, v.line, false, "%s = \"%.50s\" is %s", v.key, v.text, why);
		return false;
	}
	out->family = family;
	out->prefix_len = (uint8_t)prefix_len;
	return true;
}
