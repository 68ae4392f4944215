#include "oci.h"

#include <ctype.h>
#include <string.h>

/* Grammar: distribution/reference; defaults as containerd fills them in. */

static bool lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alnum(char c)
{
	return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Labels of letters, digits and inner dashes, joined by dots. */
static bool good_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool edge = i == 0 || i + 1 == n || p[i - 1] == '.' || p[i + 1] == '.';

		if (!alnum(p[i]) && (edge || (p[i] != '-' && p[i] != '.')))
			return false;
	}
	return n > 0;
}

static bool good_host(const char *p, size_t n)
{
	const char *colon;

	if (n > 0 && p[0] == '[') {
		const char *close = memchr(p, ']', n);

		if (!close || close - p < 3)
			return false;
		for (const char *c = p + 1; c < close; c++) {
			if (!isxdigit((unsigned char)*c) && *c != ':')
				return false;
		}
		n -= (size_t)(close + 1 - p);
		p = close + 1;
		if (n == 0)
			return true;
		colon = *p == ':' ? p : NULL;
		if (!colon)
			return false;
	} else {
		colon = memchr(p, ':', n);
		if (!good_name(p, colon ? (size_t)(colon - p) : n))
			return false;
	}
	if (!colon)
		return true;
	n -= (size_t)(colon + 1 - p);
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)colon[1 + i]))
			return false;
	}
	return n > 0 && n <= 5;
}

/* Length of the separator at p: '.', '_', "__" or any number of dashes; 0 for anything else. */
static size_t separator(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] == '-')
		i++;
	if (i > 0)
		return i;
	if (n > 1 && p[0] == '_' && p[1] == '_')
		return 2;
	return n > 0 && (p[0] == '.' || p[0] == '_') ? 1 : 0;
}

static bool good_path(const char *p, size_t n)
{
	bool word = false; /* inside a run of letters and digits, where a separator may follow */

	for (size_t i = 0; i < n;) {
		size_t sep = 1;

		if (lower_or_digit(p[i])) {
			word = true;
			i++;
			continue;
		}
		if (p[i] != '/')
			sep = separator(p + i, n - i);
		if (!word || sep == 0)
			return false;
		word = false;
		i += sep;
	}
	return word;
}

static bool good_tag(const char *p)
{
	size_t n = strlen(p);

	for (size_t i = 0; i < n; i++) {
		if (!alnum(p[i]) && p[i] != '_' && (i == 0 || (p[i] != '.' && p[i] != '-')))
			return false;
	}
	return n > 0 && n <= 128;
}

bool ctr_oci_digest_ok(const char *s)
{
	if (strncmp(s, "sha256:", 7) != 0 || strlen(s) != CTR_OCI_DIGEST - 1)
		return false;
	return strspn(s + 7, "0123456789abcdef") == 64;
}

static int bad(const char *s, const char *why, struct ctr_err *e)
{
	return ctr_fail(e, CTR_FORMAT, "image.ref", "image reference \"%s\": %s", s, why);
}

static void put(char *dst, const char *p, size_t n)
{
	memcpy(dst, p, n);
	dst[n] = '\0';
}

/* The part before the first slash is a host only if it looks like one: "a/b" is docker.io/a/b. */
static size_t host_len(const char *p, size_t n)
{
	const char *slash = memchr(p, '/', n);
	size_t len = slash ? (size_t)(slash - p) : 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.' || p[i] == ':' || (p[i] >= 'A' && p[i] <= 'Z'))
			return len;
	}
	return len == 9 && strncmp(p, "localhost", 9) == 0 ? len : 0;
}

static int parse_name(const char *s, size_t n, struct ctr_imgref *ref, struct ctr_err *e)
{
	const char *p = s;
	size_t host = host_len(s, n);
	const char *lib = "";

	if (host >= sizeof ref->registry)
		return bad(s, "the host is longer than 255 characters", e);
	if (host > 0 && !good_host(s, host))
		return bad(s, "malformed host (expected host[:port])", e);
	put(ref->registry, host ? s : "docker.io", host ? host : 9);
	if (strcmp(ref->registry, "index.docker.io") == 0)
		put(ref->registry, "docker.io", 9);
	if (host > 0) {
		p += host + 1;
		n -= host + 1;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			return bad(s, "upper-case letter in the repository (expected lower case)",
				   e);
	}
	if (!good_path(p, n))
		return bad(s, "malformed repository name", e);
	if (strcmp(ref->registry, "docker.io") == 0 && !memchr(p, '/', n))
		lib = "library/";
	if (n + strlen(lib) >= sizeof ref->repository)
		return bad(s, "the repository is longer than 255 characters", e);
	put(ref->repository, lib, strlen(lib));
	put(ref->repository + strlen(lib), p, n);
	return 0;
}

int ctr_imgref_parse(const char *s, struct ctr_imgref *ref, struct ctr_err *e)
{
	const char *at = strchr(s, '@'), *end = at ? at : s + strlen(s), *colon = end;
	struct ctr_imgref r = { 0 };

	memset(ref, 0, sizeof *ref);
	if (at && !ctr_oci_digest_ok(at + 1))
		return bad(s, "malformed digest (expected sha256: and 64 lower-case digits)", e);
	if (at)
		put(r.digest, at + 1, CTR_OCI_DIGEST - 1);
	while (colon > s && colon[-1] != ':' && colon[-1] != '/')
		colon--;
	if (colon > s && colon[-1] == ':') {
		if (end - colon > 128)
			return bad(s, "the tag is longer than 128 characters", e);
		put(r.tag, colon, (size_t)(end - colon));
		if (!good_tag(r.tag))
			return bad(s, "malformed tag", e);
		end = colon - 1;
	} else if (!at) {
		if (end - s == 64 && strspn(s, "0123456789abcdef") == 64)
			return bad(s, "64 hexadecimal digits are an image ID, not a name", e);
		put(r.tag, "latest", 6);
	}
	if (parse_name(s, (size_t)(end - s), &r, e) < 0)
		return -1;
	*ref = r;
	return 0;
}

void ctr_imgref_pinned(const char *s, const char *digest, struct ctr_buf *b)
{
	ctr_buf_add(b, s, strcspn(s, "@"));
	ctr_buf_addf(b, "@%s", digest);
}

void ctr_imgref_pull_name(const struct ctr_imgref *ref, const char *digest, struct ctr_buf *b)
{
	ctr_buf_addf(b, "%s/%s@%s", ref->registry, ref->repository, digest);
}
