#include "manifest.h"

#include <arpa/inet.h>
#include <string.h>

#include "crypto.h"
#include "rd.h"


static void free_policy(struct ctr_manifest_policy *p)
{
	ctr_manifest_clear_sans(p);
	free(p->secret_id);
}

static void free_refs(struct ctr_manifest *m)
{
	for (size_t i = 0; i < m->n_snp; i++) {
		free(m->snp[i].platform);
		free(m->snp[i].chips);
	}
	for (size_t i = 0; i < m->n_tdx; i++) {
		free(m->tdx[i].platform);
		free(m->tdx[i].piids);
	}
	free(m->snp);
	free(m->tdx);
}

void ctr_manifest_move_refs(struct ctr_manifest *m, struct ctr_manifest *from)
{
	free_refs(m);
	m->snp = ctr_give(from->snp);
	m->n_snp = from->n_snp;
	m->tdx = ctr_give(from->tdx);
	m->n_tdx = from->n_tdx;
	from->n_snp = from->n_tdx = 0;
}

void ctr_manifest_free(struct ctr_manifest *m)
{
	for (size_t i = 0; i < m->n_policies; i++)
		free_policy(&m->policies[i]);
	for (size_t i = 0; i < m->n_seedshare; i++)
		free(m->seedshare[i].der);
	free(m->policies);
	free(m->index);
	free_refs(m);
	free(m->owners);
	free(m->seedshare);
	*m = (struct ctr_manifest){ 0 };
}

/* The slot that holds the hash, or the free one where it belongs. All of it is mixed: tests count up. */
static size_t slot_of(const struct ctr_manifest *m, const uint8_t *hash)
{
	uint64_t at = 0, word;

	for (size_t i = 0; i < CTR_SHA256_SIZE; i += sizeof word) {
		memcpy(&word, hash + i, sizeof word);
		at = (at ^ word) * 0x9e3779b97f4a7c15;
		at ^= at >> 32;
	}
	for (at &= m->index_n - 1; m->index[at]; at = (at + 1) & (m->index_n - 1)) {
		if (ctr_same(m->policies[m->index[at] - 1].hash, hash, CTR_SHA256_SIZE))
			break;
	}
	return (size_t)at;
}

struct ctr_manifest_policy *ctr_manifest_find(const struct ctr_manifest *m,
					      const uint8_t hash[CTR_SHA256_SIZE])
{
	size_t slot;

	if (m->index_n == 0)
		return NULL;
	slot = slot_of(m, hash);
	return m->index[slot] ? &m->policies[m->index[slot] - 1] : NULL;
}

/* Room for one more: the table is at most half full. */
static int grow(struct ctr_manifest *m, struct ctr_err *e)
{
	size_t cap = m->cap_policies ? m->cap_policies * 2 : 16;
	struct ctr_manifest_policy *p;
	uint32_t *index;

	if (m->n_policies < m->cap_policies)
		return 0;
	if (cap > UINT32_MAX / 4)
		return ctr_fail(e, CTR_FORMAT, "manifest.count", "too many policies");
	p = realloc(m->policies, cap * sizeof *p);
	if (!p)
		return ctr_fail_mem(e);
	m->policies = p;
	index = calloc(cap * 2, sizeof *index);
	if (!index)
		return ctr_fail_mem(e);
	free(m->index);
	m->index = index;
	m->index_n = cap * 2;
	m->cap_policies = cap;
	for (size_t i = 0; i < m->n_policies; i++)
		m->index[slot_of(m, p[i].hash)] = (uint32_t)i + 1;
	return 0;
}

int ctr_manifest_add(struct ctr_manifest *m, const uint8_t hash[CTR_SHA256_SIZE],
		     struct ctr_manifest_policy **out, struct ctr_err *e)
{
	struct ctr_manifest_policy *p;

	*out = NULL;
	if (grow(m, e) < 0)
		return -1;
	p = &m->policies[m->n_policies];
	*p = (struct ctr_manifest_policy){ 0 };
	memcpy(p->hash, hash, CTR_SHA256_SIZE);
	p->secret_id = strdup("");
	if (!p->secret_id)
		return ctr_fail_mem(e);
	m->index[slot_of(m, hash)] = (uint32_t)++m->n_policies;
	*out = p;
	return 0;
}

static bool alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool dns_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool dns_name(const char *s)
{
	bool digits = false;

	if (strlen(s) > 253)
		return false;
	if (s[0] == '*' && (s[1] == '\0' || s[1] == '.')) {
		if (s[1] == '\0')
			return true;
		s += 2;
	}
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!dns_label(s, n))
			return false;
		digits = strspn(s, "0123456789") == n;
		if (s[n] == '\0')
			break;
		s += n + 1;
	}
	return !digits; /* 10.0.0.256 is a mistyped address, no name */
}

static bool ip_address(const char *s)
{
	static const int family[] = { AF_INET, AF_INET6 };
	uint8_t addr[16];
	char text[INET6_ADDRSTRLEN];

	for (int i = 0; i < 2; i++) {
		if (inet_pton(family[i], s, addr) == 1)
			return inet_ntop(family[i], addr, text, sizeof text) && strcmp(text, s) == 0;
	}
	return false;
}

static bool uri(const char *s)
{
	size_t n = 0;

	if (!((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z')))
		return false;
	while (alnum(s[n]) || (s[n] && strchr("+-.", s[n])))
		n++;
	if (!(strncmp(s + n, "://", 3) == 0 && s[n + 3]) && !(strncmp(s, "urn:", 4) == 0 && s[4]))
		return false;
	for (; s[n]; n++) {
		if (s[n] <= ' ' || s[n] > '~' || strchr("\"<>\\^`{|}", s[n]))
			return false;
	}
	return true;
}

enum ctr_san ctr_san_kind(const char *s)
{
	if (strlen(s) > CTR_SAN_LEN_MAX)
		return CTR_SAN_NONE;
	return ip_address(s) ? CTR_SAN_IP : dns_name(s) ? CTR_SAN_DNS : uri(s) ? CTR_SAN_URI : CTR_SAN_NONE;
}

int ctr_manifest_add_san(struct ctr_manifest_policy *p, const char *san, struct ctr_err *e)
{
	char **v;

	if (ctr_san_kind(san) == CTR_SAN_NONE)
		return ctr_fail(e, CTR_FORMAT, "manifest.san",
				"\"%.100s\" (expected a DNS name, an IP address or a URI)", san);
	for (size_t i = 0; i < p->n_sans; i++) {
		if (strcmp(p->sans[i], san) == 0)
			return 0;
	}
	if (p->n_sans == CTR_SANS_MAX)
		return ctr_fail(e, CTR_FORMAT, "manifest.count", "more than %d SANs", CTR_SANS_MAX);
	v = realloc(p->sans, (p->n_sans + 1) * sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	p->sans = v;
	v[p->n_sans] = strdup(san);
	if (!v[p->n_sans])
		return ctr_fail_mem(e);
	p->n_sans++;
	return 0;
}

void ctr_manifest_clear_sans(struct ctr_manifest_policy *p)
{
	for (size_t i = 0; i < p->n_sans; i++)
		free(p->sans[i]);
	free(p->sans);
	p->sans = NULL;
	p->n_sans = 0;
}

int ctr_manifest_set_secret(struct ctr_manifest_policy *p, const char *id, struct ctr_err *e)
{
	char *copy;

	if (strlen(id) > CTR_SECRET_ID_MAX)
		return ctr_fail(e, CTR_FORMAT, "manifest.secret-id",
				"a workload secret ID of more than %d bytes", CTR_SECRET_ID_MAX);
	copy = strdup(id);
	if (!copy)
		return ctr_fail_mem(e);
	free(p->secret_id);
	p->secret_id = copy;
	return 0;
}

int ctr_manifest_add_owner(struct ctr_manifest *m, const uint8_t digest[CTR_SHA256_SIZE],
			   struct ctr_err *e)
{
	uint8_t(*v)[CTR_SHA256_SIZE];

	for (size_t i = 0; i < m->n_owners; i++) {
		if (ctr_same(m->owners[i], digest, CTR_SHA256_SIZE))
			return 0;
	}
	if (m->n_owners == CTR_OWNERS_MAX)
		return ctr_fail(e, CTR_FORMAT, "manifest.count", "more than %d workload owners",
				CTR_OWNERS_MAX);
	v = realloc(m->owners, (m->n_owners + 1) * sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	m->owners = v;
	memcpy(v[m->n_owners++], digest, CTR_SHA256_SIZE);
	return 0;
}

int ctr_manifest_add_seedshare(struct ctr_manifest *m, const uint8_t *der, size_t n,
			       struct ctr_err *e)
{
	struct ctr_seedshare_key *v;
	unsigned bits;

	if (ctr_key_rsa_check(der, n, &bits, e) < 0)
		return -1;
	for (size_t i = 0; i < m->n_seedshare; i++) {
		if (m->seedshare[i].n == n && ctr_same(m->seedshare[i].der, der, n))
			return 0;
	}
	if (m->n_seedshare == CTR_OWNERS_MAX)
		return ctr_fail(e, CTR_FORMAT, "manifest.count", "more than %d seed share owners",
				CTR_OWNERS_MAX);
	v = realloc(m->seedshare, (m->n_seedshare + 1) * sizeof *v);
	if (!v)
		return ctr_fail_mem(e);
	m->seedshare = v;
	v[m->n_seedshare] = (struct ctr_seedshare_key){ malloc(n), n, bits };
	if (!v[m->n_seedshare].der)
		return ctr_fail_mem(e);
	memcpy(v[m->n_seedshare++].der, der, n);
	return 0;
}
