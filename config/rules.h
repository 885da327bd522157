/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rules.h: PMEMSHIM_PATHS and PMEMSHIM_DEFAULTS turned into rules. Private to
 * config/.
 */
#ifndef PMEMSHIM_RULES_H
#define PMEMSHIM_RULES_H

#include "config/config.h"

/*
 * Fill out's rules and any_assume_pmem, or log one line and leave no rule.
 * Parameters as for config_parse.
 */
void rules_read(const struct config_env *env, const char *mountinfo,
		const char *sysfs, struct config *out);

#endif
