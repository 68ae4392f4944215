/* What stands at the start of a device while a volume is made on it. */
#ifndef TOOLS_CTR_INITIALIZER_MARK_H
#define TOOLS_CTR_INITIALIZER_MARK_H

#define MARK "ctr-initializer: a volume that is not finished\n"

#endif
