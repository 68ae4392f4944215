#include "tdx_level.h"

#include <stdio.h>
#include <strings.h>

/* Places in TEE_TCB_SVN. */
enum { MODULE_SVN, MODULE_VERSION, SEAM_LOADER };

const struct ctr_tcb_level *ctr_tcb_svn_level(const struct ctr_tcb_levels *l, uint16_t isvsvn)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].svn <= isvsvn)
			return &l->v[i];
	}
	return NULL;
}

static bool reaches(const uint8_t have[16], const uint8_t need[16], size_t from)
{
	for (size_t i = from; i < 16; i++) {
		if (have[i] < need[i])
			return false;
	}
	return true;
}

static bool sgx_reaches(const struct ctr_pck *p, const struct ctr_tcb_level *l)
{
	return reaches(p->comp, l->sgx, 0) && p->pcesvn >= l->svn;
}

const struct ctr_tcb_level *ctr_tcb_platform_level(const struct ctr_tcb_levels *l,
						   const struct ctr_pck *p, const uint8_t svn[16])
{
	size_t from = svn[MODULE_VERSION] == 0 ? 0 : 2;

	for (size_t i = 0; i < l->n; i++) {
		if (sgx_reaches(p, &l->v[i]) && reaches(svn, l->v[i].tdx, from))
			return &l->v[i];
	}
	return NULL;
}

const struct ctr_tdx_module *ctr_tdx_module_of(const struct ctr_tcb_info *t, const uint8_t svn[16])
{
	char id[8];

	if (svn[MODULE_VERSION] == 0)
		return &t->module;
	snprintf(id, sizeof id, "TDX_%02x", svn[MODULE_VERSION]);
	for (size_t i = 0; i < t->n_modules; i++) {
		if (strcasecmp(t->modules[i].id, id) == 0)
			return &t->modules[i];
	}
	return NULL;
}

enum ctr_tcb_status ctr_tcb_merge(enum ctr_tcb_status status, enum ctr_tcb_status part)
{
	if (status == CTR_TCB_NOT_SUPPORTED || part == CTR_TCB_NOT_SUPPORTED)
		return CTR_TCB_NOT_SUPPORTED;
	if (status == CTR_TCB_REVOKED || part == CTR_TCB_REVOKED)
		return CTR_TCB_REVOKED;
	if (part != CTR_TCB_OUT_OF_DATE && part != CTR_TCB_OUT_OF_DATE_CONFIGURATION)
		return status;
	if (status == CTR_TCB_UP_TO_DATE || status == CTR_TCB_SW_HARDENING)
		return CTR_TCB_OUT_OF_DATE;
	if (status == CTR_TCB_CONFIGURATION || status == CTR_TCB_CONFIGURATION_SW_HARDENING)
		return CTR_TCB_OUT_OF_DATE_CONFIGURATION;
	return status;
}

enum ctr_tcb_status ctr_tcb_relaunch(const struct ctr_tcb_info *t, const struct ctr_pck *p,
				     const struct ctr_tdx_report *td, enum ctr_tcb_status platform,
				     enum ctr_tcb_status module, enum ctr_tcb_status qe,
				     enum ctr_tcb_status merged)
{
	const struct ctr_tdx_module *now = ctr_tdx_module_of(t, td->tee_tcb_svn2);
	bool old = (platform == CTR_TCB_OUT_OF_DATE ||
		    platform == CTR_TCB_OUT_OF_DATE_CONFIGURATION) &&
		   module == CTR_TCB_OUT_OF_DATE;

	if (!td->v15 || !old || qe != CTR_TCB_UP_TO_DATE || t->levels.n == 0 ||
	    !sgx_reaches(p, &t->levels.v[0]) || !now || now->levels.n == 0 ||
	    td->tee_tcb_svn2[MODULE_SVN] < now->levels.v[0].svn ||
	    td->tee_tcb_svn2[SEAM_LOADER] < t->levels.v[0].tdx[SEAM_LOADER])
		return merged;
	if (merged == CTR_TCB_OUT_OF_DATE)
		return CTR_TCB_RELAUNCH;
	return merged == CTR_TCB_OUT_OF_DATE_CONFIGURATION ? CTR_TCB_RELAUNCH_CONFIGURATION
							   : merged;
}
