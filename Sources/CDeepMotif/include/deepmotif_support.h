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

/* The body of a loop: chunk number and worker. */
typedef void dmi_chunk_body(const void *context, int64_t chunk, int64_t worker);

/* Calls the body once for every chunk in 0 ..< chunks, on up to `workers` threads, the caller's among them. No two
 * concurrent calls have the same worker, which is in 0 ..< workers. Works in forked children. */
void dmi_run_chunks(int64_t chunks, int64_t workers, dmi_chunk_body *body, const void *context);

#endif
