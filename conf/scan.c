#include "conf/scan.h"

#include <assert.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* a key or an unquoted value */
	TOKEN_STRING, /* text: without the quotes */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUALS,
	TOKEN_COMMA,
};

struct token {
	enum token_kind kind;
	const char *text; /* in the scanned text, not terminated */
	int size, line;
};

/* A section that is open. */
struct level {
	const struct conf_scan_key *keys;
	const char *name;
	int line;
	int seen[CONF_SCAN_KEYS_MAX]; /* line of each key; 0: not yet */
};

struct scan {
	const char *at;
	int line;
	int blamed; /* the last line of which a wrong shape was reported: once a line is enough */
	FILE *out;
	int out_line;
	bool muted; /* what is read now is not passed on */
	unsigned depth;
	struct level level[CONF_SCAN_DEPTH_MAX]; /* [depth] is the innermost */
	struct conf_problems *problems;
};

/* Is it the first wrong shape on this line? */
static bool blame(struct scan *s, int line)
{
	if (line <= s->blamed)
		return false;
	s->blamed = line;
	return true;
}

static bool is_word_byte(char c)
{
	return c > ' ' && c < 0x7f && strchr("#\"'={}()+,\\", c) == NULL;
}

static void skip_block_comment(struct scan *s)
{
	int line = s->line;
	const char *end = strstr(s->at + 2, "*/");

	if (end == NULL) {
		if (blame(s, line))
			conf_problem(s->problems, line, false,
				     "the comment is not closed: add '*/'");
		end = s->at + strlen(s->at);
	} else {
		end += 2;
	}
	for (; s->at < end; s->at++)
		s->line += *s->at == '\n';
}

/* Skip blanks and comments. */
static void skip_blanks(struct scan *s)
{
	for (;;) {
		if (*s->at == '\n') {
			s->line++;
			s->at++;
		} else if (*s->at == ' ' || *s->at == '\t' || *s->at == '\r') {
			s->at++;
		} else if (*s->at == '#' || strncmp(s->at, "//", 2) == 0) {
			s->at += strcspn(s->at, "\n");
		} else if (strncmp(s->at, "/*", 2) == 0) {
			skip_block_comment(s);
		} else {
			return;
		}
	}
}

static struct token string_token(struct scan *s)
{
	char quote = *s->at++;
	struct token t = {.kind = TOKEN_STRING, .text = s->at, .line = s->line};

	while (*s->at != '\0' && *s->at != '\n' && *s->at != quote) {
		if ((*s->at < ' ' || *s->at >= 0x7f || strchr("\\\"'", *s->at) != NULL) &&
		    blame(s, s->line))
			conf_problem(
				s->problems, s->line, false,
				"a string holds printable ASCII without quotes and backslashes");
		s->at++;
	}
	t.size = (int)(s->at - t.text);
	if (*s->at == quote)
		s->at++;
	else if (blame(s, s->line))
		conf_problem(s->problems, s->line, false,
			     "the string is not closed: add %c on the same line", quote);
	return t;
}

/* A byte that begins nothing. */
static void refuse_byte(struct scan *s)
{
	unsigned char byte = (unsigned char)*s->at++;

	if (!blame(s, s->line))
		return;
	if (byte > ' ' && byte < 0x7f)
		conf_problem(s->problems, s->line, false, "'%c' has no meaning here: remove it",
			     byte);
	else
		conf_problem(s->problems, s->line, false,
			     "byte 0x%02x: only printable ASCII is allowed outside comments", byte);
}

static struct token next(struct scan *s)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} marks[] = {{"{", TOKEN_OPEN},
		     {"}", TOKEN_CLOSE},
		     {"=", TOKEN_EQUALS},
		     {",", TOKEN_COMMA},
		     {"+=", TOKEN_EQUALS}};
	struct token t;

	for (;;) {
		skip_blanks(s);
		t = (struct token){.kind = TOKEN_END, .text = s->at, .line = s->line};
		if (*s->at == '\0')
			return t;
		if (*s->at == '"' || *s->at == '\'')
			return string_token(s);
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
			if (strncmp(s->at, marks[i].text, strlen(marks[i].text)) == 0) {
				t.kind = marks[i].kind;
				t.size = (int)strlen(marks[i].text);
				s->at += t.size;
				return t;
			}
		}
		while (is_word_byte(*s->at))
			s->at++;
		t.size = (int)(s->at - t.text);
		if (t.size > 0) {
			t.kind = TOKEN_WORD;
			return t;
		}
		refuse_byte(s);
	}
}

static struct token peek(struct scan *s)
{
	const char *at = s->at;
	int line = s->line;
	struct token t = next(s);

	s->at = at;
	s->line = line;
	return t;
}

static bool is_text(struct token t)
{
	return t.kind == TOKEN_WORD || t.kind == TOKEN_STRING;
}

/* Bring the written text to a line. */
static void put_lines(struct scan *s, int line)
{
	for (; s->out_line < line; s->out_line++)
		fputc('\n', s->out);
}

/* Pass on a mark. */
static void put(struct scan *s, int line, const char *mark)
{
	if (s->muted)
		return;
	put_lines(s, line);
	fprintf(s->out, " %s", mark);
}

/* Pass on a word.  A byte that was refused is left out: it may mean something to libconfuse. */
static void put_text(struct scan *s, struct token t)
{
	if (s->muted)
		return;
	put_lines(s, t.line);
	fputs(" '", s->out);
	for (int i = 0; i < t.size; i++) {
		if (t.text[i] >= ' ' && t.text[i] < 0x7f && strchr("\\'", t.text[i]) == NULL)
			fputc(t.text[i], s->out);
	}
	fputc('\'', s->out);
}

/* Skip to the end of the block that has just been opened. */
static void skip_block(struct scan *s)
{
	unsigned open = 1;

	while (open > 0) {
		struct token t = next(s);

		if (t.kind == TOKEN_END)
			return;
		open += t.kind == TOKEN_OPEN;
		open -= t.kind == TOKEN_CLOSE;
	}
}

/* Skip what follows a key that is not known: a value, a list or a section. */
static void skip_unknown(struct scan *s, int line)
{
	if (peek(s).kind == TOKEN_EQUALS)
		next(s);
	while (is_text(peek(s)) && peek(s).line == line)
		next(s);
	if (peek(s).kind == TOKEN_OPEN) {
		next(s);
		skip_block(s);
	}
}

/* The items of a list up to its closing brace. */
static void on_list(struct scan *s, struct token key)
{
	bool first = true;

	put(s, key.line, "{");
	for (;;) {
		struct token t = peek(s);

		if (t.kind == TOKEN_COMMA && !first) {
			next(s);
			t = peek(s);
		} else if (is_text(t) && !first && blame(s, t.line)) {
			conf_problem(s->problems, t.line, false,
				     "'%.*s' needs ',' between its values", key.size, key.text);
		}
		if (t.kind == TOKEN_CLOSE)
			next(s);
		if (!is_text(t)) {
			if (t.kind != TOKEN_CLOSE && blame(s, key.line))
				conf_problem(s->problems, key.line, false,
					     "the list '%.*s' is not closed: add '}'", key.size,
					     key.text);
			put(s, t.line, "}");
			return;
		}
		if (!first)
			put(s, t.line, ",");
		put_text(s, next(s));
		first = false;
	}
}

/* What follows `key =`. */
static void on_right_side(struct scan *s, const struct conf_scan_key *known, struct token key)
{
	struct token value = peek(s);

	if (value.kind == TOKEN_OPEN) {
		next(s);
		if (known->kind != CONF_SCAN_LIST) {
			conf_problem(s->problems, key.line, false,
				     "'%s' takes one value, not a list", known->name);
			skip_block(s);
			return;
		}
		put_text(s, key);
		put(s, key.line, "=");
		on_list(s, key);
		return;
	}
	if (!is_text(value) || value.line != key.line) {
		conf_problem(s->problems, key.line, false,
			     "'%s' has no value: write it on the same line", known->name);
		return;
	}
	put_text(s, key);
	put(s, key.line, "=");
	put_text(s, next(s));
}

static void on_value(struct scan *s, const struct conf_scan_key *known, struct token key)
{
	struct token t = peek(s);

	if (t.kind == TOKEN_EQUALS) {
		next(s);
		if (t.size > 1)
			conf_problem(s->problems, t.line, false,
				     "'+=' is not used here: write the whole value after '='");
	} else {
		if (blame(s, key.line))
			conf_problem(s->problems, key.line, false, "'=' is missing after '%s'",
				     known->name);
		if (t.line != key.line || (!is_text(t) && t.kind != TOKEN_OPEN))
			return;
	}
	on_right_side(s, known, key);
}

/* Open a section: its first keys are its line and name. */
static void open_section(struct scan *s, const struct conf_scan_key *known, struct token key,
			 struct token title)
{
	struct level *l;
	char line[16];

	assert(s->depth + 1 < CONF_SCAN_DEPTH_MAX); /* the table of keys is our own */
	l = &s->level[++s->depth];
	*l = (struct level){.keys = known->keys, .name = known->name, .line = key.line};
	snprintf(line, sizeof(line), "%d", key.line);
	put_text(s, key);
	put(s, key.line, "{ " CONF_SCAN_LINE " =");
	put(s, key.line, line);
	if (known->kind == CONF_SCAN_NAMED) {
		put(s, key.line, CONF_SCAN_TITLE " =");
		put_text(s, title);
	}
}

static void on_section(struct scan *s, const struct conf_scan_key *known, struct token key)
{
	struct token title = {.text = "", .line = key.line};

	if (is_text(peek(s))) {
		title = next(s);
		if (known->kind == CONF_SCAN_SECTION && blame(s, key.line))
			conf_problem(s->problems, key.line, false,
				     "section '%s' has no name: write %s { ... }", known->name,
				     known->name);
	} else if (known->kind == CONF_SCAN_NAMED && blame(s, key.line)) {
		conf_problem(s->problems, key.line, false,
			     "section '%s' needs a name: write %s \"NAME\" { ... }", known->name,
			     known->name);
	}
	if (peek(s).kind != TOKEN_OPEN) {
		if (blame(s, key.line))
			conf_problem(s->problems, key.line, false,
				     "'{' is missing after section '%s'", known->name);
		return;
	}
	next(s);
	open_section(s, known, key, title);
}

static const struct conf_scan_key *find(const struct conf_scan_key *keys, struct token t)
{
	for (; keys->name != NULL; keys++) {
		if (strlen(keys->name) == (size_t)t.size &&
		    memcmp(keys->name, t.text, (size_t)t.size) == 0)
			return keys;
	}
	return NULL;
}

static void refuse_unknown(struct scan *s, struct token key)
{
	const struct level *l = &s->level[s->depth];
	char known[208] = "";

	for (const struct conf_scan_key *k = l->keys; k->name != NULL; k++) {
		size_t used = strlen(known);

		snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "", k->name);
	}
	if (blame(s, key.line))
		conf_problem(s->problems, key.line, false,
			     "unknown key '%.*s' in %s; known are: %s",
			     key.size < 32 ? key.size : 32, key.text, l->name, known);
	skip_unknown(s, key.line);
}

static void close_section(struct scan *s, int line)
{
	put(s, line, "}");
	s->depth--;
}

/* A section that belongs further out says that a brace was forgotten: close down to there. */
static const struct conf_scan_key *find_further_out(struct scan *s, struct token key)
{
	for (unsigned depth = s->depth; depth-- > 0;) {
		const struct conf_scan_key *known = find(s->level[depth].keys, key);

		if (known == NULL || known->kind == CONF_SCAN_VALUE ||
		    known->kind == CONF_SCAN_LIST)
			continue;
		while (s->depth > depth) {
			conf_problem(s->problems, s->level[s->depth].line, false,
				     "section '%s' is not closed: '}' is missing before line %d",
				     s->level[s->depth].name, key.line);
			close_section(s, key.line);
		}
		return known;
	}
	return NULL;
}

static void on_key(struct scan *s, struct token key)
{
	const struct conf_scan_key *known = find(s->level[s->depth].keys, key);
	int *seen;

	if (known == NULL)
		known = find_further_out(s, key);
	if (known == NULL) {
		refuse_unknown(s, key);
		return;
	}
	seen = &s->level[s->depth].seen[known - s->level[s->depth].keys];
	if (*seen != 0 && known->kind != CONF_SCAN_NAMED)
		conf_problem(s->problems, key.line, false,
			     "'%s' is given twice: the first is in line %d", known->name, *seen);
	else
		*seen = key.line;
	if (known->kind == CONF_SCAN_VALUE || known->kind == CONF_SCAN_LIST) {
		s->muted = *seen != key.line;
		on_value(s, known, key);
		s->muted = false;
	} else {
		on_section(s, known, key);
	}
}

/* Something else where a key should be. */
static void refuse_token(struct scan *s, struct token t)
{
	if (blame(s, t.line))
		conf_problem(s->problems, t.line, false, "a key is expected here, not '%.*s'",
			     t.size < 32 ? t.size : 32, t.text);
	if (t.kind == TOKEN_OPEN)
		skip_block(s);
}

static void scan_all(struct scan *s)
{
	for (;;) {
		struct token t = next(s);

		if (t.kind == TOKEN_END)
			break;
		if (t.kind == TOKEN_WORD)
			on_key(s, t);
		else if (t.kind != TOKEN_CLOSE)
			refuse_token(s, t);
		else if (s->depth > 0)
			close_section(s, t.line);
		else if (blame(s, t.line))
			conf_problem(s->problems, t.line, false, "'}' closes nothing: remove it");
	}
	while (s->depth > 0) {
		conf_problem(s->problems, s->level[s->depth].line, false,
			     "section '%s' is not closed: add '}'", s->level[s->depth].name);
		close_section(s, s->line);
	}
}

char *conf_scan(const char *text, const struct conf_scan_key *keys, struct conf_problems *problems)
{
	struct scan s = {.at = text, .line = 1, .out_line = 1, .problems = problems};
	char *cleaned = NULL;
	size_t size;

	s.level[0].keys = keys;
	s.level[0].name = "the file";
	s.out = open_memstream(&cleaned, &size);
	if (s.out == NULL) {
		conf_problem(problems, 0, false, "out of memory");
		return NULL;
	}
	scan_all(&s);
	fputc('\n', s.out);
	if (fclose(s.out) != 0) {
		conf_problem(problems, 0, false, "out of memory");
		free(cleaned);
		return NULL;
	}
	return cleaned;
}
