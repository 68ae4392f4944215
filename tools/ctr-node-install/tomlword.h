/* TOML's values without quotes (TOML 1.0: booleans, numbers, dates and times). */
#ifndef TOOLS_CTR_NODE_INSTALL_TOMLWORD_H
#define TOOLS_CTR_NODE_INSTALL_TOMLWORD_H

#include <stdbool.h>

/* The whole text is one of them. */
bool tomlword_ok(const char *s);

#endif
