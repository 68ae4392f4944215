/* needs: tests/sim/guest.c */
/* mkguest firmware|igvm|pe: the image to standard output. */
#include <stdio.h>
#include <string.h>

#include "guest.h"

int main(int argc, char **argv)
{
	ctr_auto_buf struct ctr_buf b = { 0 };
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "firmware") == 0)
		guest_firmware(&b);
	else if (strcmp(what, "igvm") == 0)
		guest_igvm(&b, 1);
	else if (strcmp(what, "igvm2") == 0)
		guest_igvm(&b, 2);
	else if (strcmp(what, "pe") == 0)
		guest_pe(&b);
	if (b.n == 0)
		return 2;
	return fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0 ? 0 : 1;
}
