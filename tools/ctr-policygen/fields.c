#include "fields.h"

#include <string.h>

/* How a field is treated; a value that is null, false, empty or `harmless` never matters. */
enum how { FINE, WARN, REFUSE };

struct field {
	const char *name;
	enum how how;
	const char *why;      /* for WARN and REFUSE */
	const char *harmless; /* a value that is as good as none */
};

static const struct field pod_fields[] = {
	{ "activeDeadlineSeconds", FINE, NULL, NULL },
	{ "affinity", FINE, NULL, NULL },
	{ "automountServiceAccountToken", FINE, NULL, NULL },
	{ "containers", FINE, NULL, NULL },
	{ "dnsConfig", FINE, NULL, NULL },
	{ "dnsPolicy", FINE, NULL, NULL },
	{ "enableServiceLinks", FINE, NULL, NULL },
	{ "ephemeralContainers", REFUSE, "containers that are added later cannot be held", NULL },
	{ "hostAliases", WARN, "the host writes /etc/hosts", NULL },
	{ "hostIPC", REFUSE, "the guest has no IPC namespace of the host", NULL },
	{ "hostNetwork", REFUSE, "the guest has no network of the host", NULL },
	{ "hostPID", REFUSE, "the guest has no process namespace of the host", NULL },
	{ "hostUsers", REFUSE, "user namespaces are not supported", "true" },
	{ "hostname", FINE, NULL, NULL },
	{ "imagePullSecrets", FINE, NULL, NULL },
	{ "initContainers", FINE, NULL, NULL },
	{ "nodeName", FINE, NULL, NULL },
	{ "nodeSelector", FINE, NULL, NULL },
	{ "os", REFUSE, "only Linux pods", NULL },
	{ "overhead", FINE, NULL, NULL },
	{ "preemptionPolicy", FINE, NULL, NULL },
	{ "priority", FINE, NULL, NULL },
	{ "priorityClassName", FINE, NULL, NULL },
	{ "readinessGates", FINE, NULL, NULL },
	{ "resourceClaims", REFUSE, "devices of resource claims cannot be held", NULL },
	{ "resources", FINE, NULL, NULL },
	{ "restartPolicy", FINE, NULL, NULL },
	{ "runtimeClassName", FINE, NULL, NULL },
	{ "schedulerName", FINE, NULL, NULL },
	{ "schedulingGates", FINE, NULL, NULL },
	{ "securityContext", FINE, NULL, NULL },
	{ "serviceAccount", FINE, NULL, NULL },
	{ "serviceAccountName", FINE, NULL, NULL },
	{ "setHostnameAsFQDN", REFUSE, "the cluster's domain cannot be known", NULL },
	{ "shareProcessNamespace", FINE, NULL, NULL },
	{ "subdomain", FINE, NULL, NULL },
	{ "terminationGracePeriodSeconds", FINE, NULL, NULL },
	{ "tolerations", FINE, NULL, NULL },
	{ "topologySpreadConstraints", FINE, NULL, NULL },
	{ "volumes", FINE, NULL, NULL },
	{ NULL, FINE, NULL, NULL },
};

#define GUEST "has no effect in the guest"

static const struct field pod_security[] = {
	{ "appArmorProfile", WARN, GUEST, NULL },
	{ "fsGroup", FINE, NULL, NULL },
	{ "fsGroupChangePolicy", FINE, NULL, NULL },
	{ "runAsGroup", FINE, NULL, NULL },
	{ "runAsNonRoot", FINE, NULL, NULL },
	{ "runAsUser", FINE, NULL, NULL },
	{ "seLinuxOptions", WARN, GUEST, NULL },
	{ "seccompProfile", WARN, GUEST, NULL },
	{ "supplementalGroups", FINE, NULL, NULL },
	{ "supplementalGroupsPolicy", REFUSE, "only Merge is supported", "Merge" },
	{ "sysctls", FINE, NULL, NULL },
	{ "windowsOptions", REFUSE, "only Linux pods", NULL },
	{ NULL, FINE, NULL, NULL },
};

static const struct field container_fields[] = {
	{ "args", FINE, NULL, NULL },
	{ "command", FINE, NULL, NULL },
	{ "env", FINE, NULL, NULL },
	{ "envFrom", FINE, NULL, NULL },
	{ "image", FINE, NULL, NULL },
	{ "imagePullPolicy", FINE, NULL, NULL },
	{ "lifecycle", FINE, NULL, NULL },
	{ "livenessProbe", FINE, NULL, NULL },
	{ "name", FINE, NULL, NULL },
	{ "ports", FINE, NULL, NULL },
	{ "readinessProbe", FINE, NULL, NULL },
	{ "resizePolicy", FINE, NULL, NULL },
	{ "resources", FINE, NULL, NULL },
	{ "restartPolicy", FINE, NULL, NULL },
	{ "securityContext", FINE, NULL, NULL },
	{ "startupProbe", FINE, NULL, NULL },
	{ "stdin", FINE, NULL, NULL },
	{ "stdinOnce", FINE, NULL, NULL },
	{ "terminationMessagePath", FINE, NULL, NULL },
	{ "terminationMessagePolicy", FINE, NULL, NULL },
	{ "tty", FINE, NULL, NULL },
	{ "volumeDevices", FINE, NULL, NULL },
	{ "volumeMounts", FINE, NULL, NULL },
	{ "workingDir", FINE, NULL, NULL },
	{ NULL, FINE, NULL, NULL },
};

static const struct field container_security_fields[] = {
	{ "allowPrivilegeEscalation", FINE, NULL, NULL },
	{ "appArmorProfile", WARN, GUEST, NULL },
	{ "capabilities", FINE, NULL, NULL },
	{ "privileged", FINE, NULL, NULL },
	{ "procMount", FINE, NULL, NULL },
	{ "readOnlyRootFilesystem", FINE, NULL, NULL },
	{ "runAsGroup", FINE, NULL, NULL },
	{ "runAsNonRoot", FINE, NULL, NULL },
	{ "runAsUser", FINE, NULL, NULL },
	{ "seLinuxOptions", WARN, GUEST, NULL },
	{ "seccompProfile", WARN, GUEST, NULL },
	{ "windowsOptions", REFUSE, "only Linux pods", NULL },
	{ NULL, FINE, NULL, NULL },
};

static const struct field mount_fields[] = {
	{ "mountPath", FINE, NULL, NULL },
	{ "mountPropagation", FINE, NULL, NULL },
	{ "name", FINE, NULL, NULL },
	{ "readOnly", FINE, NULL, NULL },
	{ "recursiveReadOnly", REFUSE, "is not supported", "Disabled" },
	{ "subPath", FINE, NULL, NULL },
	{ "subPathExpr", FINE, NULL, NULL },
	{ NULL, FINE, NULL, NULL },
};

/* The word for it in JSON: YAML 1.1 has many. */
static const char *boolean(const char *s)
{
	bool off = *s == 'o' || *s == 'O' ? s[1] == 'f' || s[1] == 'F' : strchr("fFnN", *s) != NULL;

	return off ? "false" : "true";
}

static bool matters(const struct ctr_yaml_node *v, const char *harmless)
{
	const char *s;
	size_t n;

	if (ctr_yaml_null(v))
		return false;
	s = ctr_yaml_text(v, &n);
	if (!s)
		return ctr_yaml_count(v) > 0;
	if (ctr_yaml_type(v) == CTR_YAML_BOOL)
		return strcmp(boolean(s), harmless ? harmless : "false") != 0;
	return n > 0 && !(harmless && strcmp(s, harmless) == 0);
}

/* pod.spec.os: {name: linux} is what is said of each pod anyway. */
static bool is_linux(const struct ctr_yaml_node *v)
{
	const char *s = ctr_yaml_text(ctr_yaml_get(v, "name"), NULL);

	return s && strcmp(s, "linux") == 0;
}

static int check(const struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *map,
		 const struct field *table, struct ctr_err *e)
{
	const struct ctr_yaml_node *v;
	const char *key;

	for (size_t i = 0; (v = ctr_yaml_at(map, i, &key)); i++) {
		const struct field *f = table;

		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name) {
			pod_warn(p, src, v, "field.unknown", "%s: unknown field, not held", key);
			continue;
		}
		if (f->how == FINE || !matters(v, f->harmless) ||
		    (strcmp(key, "os") == 0 && is_linux(v)))
			continue;
		if (f->how == REFUSE)
			return pod_fail(p, v, e, "field.refused", "%s: %s", key, f->why);
		pod_warn(p, src, v, "field.ignored", "%s: %s", key, f->why);
	}
	return 0;
}

static int check_containers(const struct pod *p, const struct pod_source *src, const char *list_key,
			    struct ctr_err *e)
{
	const struct ctr_yaml_node *list = ctr_yaml_get(p->obj->spec, list_key), *c, *m;

	for (size_t i = 0; (c = ctr_yaml_at(list, i, NULL)); i++) {
		const struct ctr_yaml_node *mounts = ctr_yaml_get(c, "volumeMounts");

		if (!ctr_yaml_is(c, CTR_YAML_MAP))
			return pod_fail(p, c, e, "yaml.type", "%s: expected a mapping", list_key);
		if (check(p, src, c, container_fields, e) < 0 ||
		    check(p, src, ctr_yaml_get(c, "securityContext"), container_security_fields, e) < 0)
			return -1;
		for (size_t k = 0; (m = ctr_yaml_at(mounts, k, NULL)); k++) {
			if (check(p, src, m, mount_fields, e) < 0)
				return -1;
		}
	}
	return 0;
}

int fields_check(const struct pod *p, const struct pod_source *src, struct ctr_err *e)
{
	if (check(p, src, p->obj->spec, pod_fields, e) < 0 ||
	    check(p, src, ctr_yaml_get(p->obj->spec, "securityContext"), pod_security, e) < 0 ||
	    check_containers(p, src, "initContainers", e) < 0)
		return -1;
	return check_containers(p, src, "containers", e);
}
