/* cpu.c: which instruction level the processor has, and which one the environment asks for. */
#include "deepmotif.h"
#include "deepmotif_support.h"

#include <stdlib.h>
#include <string.h>

int32_t dmi_cpu_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return DM_ISA_BASELINE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq"))
        return DM_ISA_AVX512;
    return DM_ISA_AVX2;
#else
    return DM_ISA_BASELINE;
#endif
}

int32_t dmi_environment_level(void) {
    const char *name = getenv("DEEPMOTIF_ISA");
    if (name == NULL) return -1;
    if (strcmp(name, "baseline") == 0) return DM_ISA_BASELINE;
    if (strcmp(name, "avx2") == 0) return DM_ISA_AVX2;
    if (strcmp(name, "avx512") == 0) return DM_ISA_AVX512;
    return -1;
}
