/* One pod as the policy must hold it: everything that the YAML, the images and the stream say about it. */
#ifndef TOOLS_CTR_POLICYGEN_POD_H
#define TOOLS_CTR_POLICYGEN_POD_H

#include "arena.h"
#include "image.h"
#include "k8s.h"
#include "log.h"
#include "refs.h"
#include "settings.h"
#include "tool.h"
#include "val.h"

/* What containerd sets when the image has no PATH; also stands in rules.rego. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct strs {
	const char **v;
	size_t n;
};

/* Variables of a container, and files of a volume: beyond what fits into an annotation. */
#define MANY_NAMES 10000

/* A file that kubelet writes below a volume: its path there and its size. */
struct vfile {
	const char *path; /* "*" for names that are not known */
	int64_t size;	  /* bytes; -1 when not known */
};

enum volume_kind {
	VOL_DISK,   /* emptyDir on an encrypted block device */
	VOL_MEMORY, /* emptyDir in the guest's memory */
	VOL_FILES,  /* ConfigMap, Secret, projected, downwardAPI: files of known names */
	VOL_COPY,   /* claim with a file system: the host's copy */
	VOL_PATH,   /* a path below /dev or /sys of the guest */
	VOL_EMPTY,  /* an image's VOLUME that the pod does not mount: held empty */
};

struct volume {
	const char *name;
	enum volume_kind kind;
	const struct ctr_yaml_node *node;
	struct vfile *files; /* VOL_FILES */
	size_t n_files;
	const char *path; /* VOL_PATH */
	bool config;	  /* VOL_FILES: holds a ConfigMap or Secret of somebody's */
	bool used;
};

struct mount {
	const char *dest;	 /* clean absolute path */
	const struct volume *vol;
	bool ro;
	const char *propagation; /* rprivate, rslave, rshared */
	const char *file;	 /* subPath of a VOL_FILES volume: the one file */
	int64_t file_size;
};

struct var {
	const char *name;
	struct val val;
	struct val written; /* `value` before expansion, "" with valueFrom: what probes see */
	bool in_env;	    /* from env */
	bool of_pod;	    /* from env or envFrom, not of the image */
};

struct vars {
	struct var *v;
	size_t n;
};

enum place { PLACE_SANDBOX, PLACE_INIT, PLACE_SIDECAR, PLACE_APP };

struct container {
	const char *name; /* "" for the sandbox */
	const struct ctr_yaml_node *node;
	enum place place;
	size_t order; /* init containers before it */
	const struct image *image; /* NULL for the built-in sandbox */
	struct vals args;
	const char *cwd;
	int64_t uid, gid;
	int64_t *gids; /* sorted, each once */
	size_t n_gids;
	bool default_caps;
	struct strs caps; /* without CAP_, sorted */
	bool privileged, no_new_privs, read_only, tty, in, unmasked;
	const char *root_propagation; /* "" rslave rshared */
	const char *termination_path;
	struct vars env;
	struct mount *mounts;
	size_t n_mounts;
	struct strs devices; /* paths of block claims */
	uint64_t gpus;
	struct vals *commands; /* probes and hooks */
	size_t n_commands;
};

struct pod {
	struct arena mem; /* owns everything below that is not borrowed */
	const struct ctr_yaml *y;
	const struct ctr_k8s_obj *obj;
	char title[320];
	const char *name_pattern, *hostname_pattern, *ns_pattern;
	const char *hostname; /* spec.hostname, NULL when it follows the pod's name */
	const char *account; /* service account */
	bool shared_pids, service_links, token;
	int64_t fs_group; /* -1: none */
	struct ctr_json *sysctls;
	struct volume *volumes;
	size_t n_volumes;
	struct container *c; /* the sandbox, init containers in order, then the others */
	size_t n;
	struct strs annotations; /* key, value, …: io.katacontainers.* of the pod */
};

/* Where the parts of a pod come from; borrowed. */
struct pod_source {
	struct images *images;
	struct refs *refs;
	const struct settings *settings;
	struct ctr_log *log;
	bool verity; /* also compute the layers' root hashes */
};

/*
 * Reads the pod of `obj`; pod_free on failure too. Errors stand at file, line and column and name the object.
 */
CTR_MUST int pod_load(struct pod *p, const struct pod_source *src, const struct ctr_yaml *y,
		      const struct ctr_k8s_obj *obj, struct ctr_err *e);
void pod_free(struct pod *p);
#define pod_auto CTR_AUTO(pod_free)

/* Parts of pod_load, each in its file. */

/* names.c: patterns of pod name, hostname and namespace. */
CTR_MUST int pod_names(struct pod *p, struct ctr_err *e);
/* volumes.c: the pod's volumes; then a container's mounts and devices. */
CTR_MUST int pod_volumes(struct pod *p, const struct pod_source *src, struct ctr_err *e);
CTR_MUST int container_mounts(struct pod *p, const struct pod_source *src, struct container *c,
			      struct ctr_err *e);
/* files.c: the files of a ConfigMap, Secret, projected or downwardAPI volume. */
CTR_MUST int volume_files(struct pod *p, const struct pod_source *src, struct volume *v,
			  struct ctr_err *e);
/* env.c: the container's environment; needs its image, and its user to be known. */
CTR_MUST int container_env(struct pod *p, const struct pod_source *src, struct container *c,
			   struct ctr_err *e);
const struct var *var_find(const struct vars *vs, const char *name, size_t n);
/* command.c: arguments and the commands of probes and hooks; needs the environment. */
CTR_MUST int container_commands(struct pod *p, struct container *c, struct ctr_err *e);
/* user.c: user, groups. */
CTR_MUST int container_user(struct pod *p, const struct pod_source *src, struct container *c,
			    struct ctr_err *e);
/* security.c: capabilities, privileges. */
CTR_MUST int container_security(struct pod *p, struct container *c, struct ctr_err *e);

/* A failure or a warning at a node, with the object's name in front; a failure set before gets both. */
int pod_fail(const struct pod *p, const struct ctr_yaml_node *n, struct ctr_err *e, const char *id,
	     const char *fmt, ...) CTR_FMT(5, 6);
void pod_warn(const struct pod *p, const struct pod_source *src, const struct ctr_yaml_node *n,
	      const char *id, const char *fmt, ...) CTR_FMT(5, 6);

/* A string member that must be there: "k8s.missing". */
CTR_MUST int pod_str(const struct pod *p, const struct ctr_yaml_node *map, const char *key,
		     const char **v, struct ctr_err *e);

#endif
