#include "challenge.h"
#include "t.h"

static void parse(const char *s, struct ctr_challenge *c)
{
	T_OK(ctr_challenge_parse(s, strlen(s), c, e));
}

static void reads_bearer(void **s)
{
	struct ctr_challenge c = { 0 };

	(void)s;
	parse("Bearer realm=\"https://auth.example/t?a=b,c\",service=\"reg \\\"x\\\"\" , Scope=\"repository:a:pull\" ,", &c);
	assert_int_equal(c.kind, CTR_CHALLENGE_BEARER);
	T_STR(c.realm, "https://auth.example/t?a=b,c");
	T_STR(c.service, "reg \"x\"");
	T_STR(c.scope, "repository:a:pull");
}

static void prefers_bearer(void **s)
{
	static const char *const same[] = {
		"Basic realm=\"x\", Bearer realm=\"https://r/\"",
		"BEARER realm=\"https://r/\", Basic realm=\"x\"",
		"Negotiate, Bearer realm=\"https://r/\"",
		"Negotiate abc==, , bearer  error=\"invalid_token\" , realm = \"https://r/\"",
		"NTLM a/b+c=, Digest realm=\"q\", nonce=1, Bearer realm=\"https://r/\",foo=bar",
	};

	(void)s;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct ctr_challenge c = { 0 };

		parse(same[i], &c);
		assert_int_equal(c.kind, CTR_CHALLENGE_BEARER);
		T_STR(c.realm, "https://r/");
		T_STR(c.service, "");
	}
}

static void keeps_the_best_of_several_headers(void **s)
{
	struct ctr_challenge c = { 0 };

	(void)s;
	parse("", &c);
	parse("Negotiate", &c);
	assert_int_equal(c.kind, CTR_CHALLENGE_NONE);
	parse("Basic", &c);
	assert_int_equal(c.kind, CTR_CHALLENGE_BASIC);
	parse("Bearer realm=\"https://one/\"", &c);
	parse("Bearer realm=\"https://two/\", Basic realm=x", &c);
	T_STR(c.realm, "https://one/");
	T_FAILS(ctr_challenge_parse("Bearer realm=\"", 14, &c, e), CTR_FORMAT, "registry.challenge");
	T_STR(c.realm, "https://one/");
}

static void refuses_what_is_broken(void **s)
{
	static const char *const bad[] = {
		"Bearer", "Bearer realm=", "Bearer realm=\"\"", "Bearer service=\"x\"", "Bearer realm=\"x",
		"Bearer realm=\"x\\", "Bearer realm=\"x\" service=\"y\"", "Bearer realm=\"x\";scope=y",
		"Bearer realm=\"a\",realm=\"b\"", "Bearer realm=\"a\",scope=x,SCOPE=y",
		"Bearer realm=\"a\nb\"", "Bearer realm=\"a\x7f\"", "Bearer realm=\"\xc3\xa9\"",
		"Bearer realm=\"x\"y", "=x", "\"Bearer\" realm=x", "Bearer@realm=x", "Basic abc==,\x01",
		"Bearer realm=repository:a", "Bearer realm==x", "Bearer, realm=\"x\"",
	};
	struct ctr_challenge c = { 0 };

	(void)s;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_FAILS(ctr_challenge_parse(bad[i], strlen(bad[i]), &c, e), CTR_FORMAT, "registry.challenge");
	T_FAILS(ctr_challenge_parse("Bearer realm=\"a\0b\"", 18, &c, e), CTR_FORMAT, "registry.challenge");
	assert_int_equal(c.kind, CTR_CHALLENGE_NONE);
}

static void has_limits(void **s)
{
	struct ctr_challenge c = { 0 };
	char text[700];

	(void)s;
	snprintf(text, sizeof text, "Bearer realm=\"%0*d\"", 511, 0);
	parse(text, &c);
	snprintf(text, sizeof text, "Bearer realm=\"%0*d\"", 512, 0);
	T_FAILS(ctr_challenge_parse(text, strlen(text), &c, e), CTR_FORMAT, "registry.challenge");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bearer), cmocka_unit_test(prefers_bearer),
		cmocka_unit_test(keeps_the_best_of_several_headers),
		cmocka_unit_test(refuses_what_is_broken), cmocka_unit_test(has_limits),
	};

	return cmocka_run_group_tests_name("challenge", tests, NULL, NULL);
}
