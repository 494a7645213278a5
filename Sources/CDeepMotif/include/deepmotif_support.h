/* deepmotif_support.h: the C shims that the engine itself needs and no client may call. */
#ifndef DEEPMOTIF_SUPPORT_H
#define DEEPMOTIF_SUPPORT_H

#include <stdint.h>

/* Stores the message of a failure for dm_error_message(); cut at 2,047 bytes, never within a UTF-8 sequence. */
void dmi_error_set(const char *bytes, int64_t count);

/* Highest DM_ISA_... level of this processor. */
int32_t dmi_cpu_level(void);

/* Level asked for by DEEPMOTIF_ISA, or -1. */
int32_t dmi_environment_level(void);

#endif
