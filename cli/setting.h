/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * setting.h: would the shim take this value? A file of its own because
 * config/option.h and <getopt.h> both have a struct option.
 */
#ifndef PMEMSHIM_SETTING_H
#define PMEMSHIM_SETTING_H

/*
 * NULL when text is a value of the key or variable of this name, which is a
 * word, a size, a time or a number; otherwise the form that is accepted.
 */
const char *setting_refused(const char *name, const char *text);

#endif
