/* deepmotif_vectors.h: vector operations that Swift's SIMD types spell out lane by lane, as single operations. Everything
 * is inlined into the Swift kernels, under the instruction level of the kernel module that imports it. */
#ifndef DEEPMOTIF_VECTORS_H
#define DEEPMOTIF_VECTORS_H

#include <stdint.h>
#include <string.h>

#define DMV_INLINE static inline __attribute__((always_inline))

typedef float dmv_float4 __attribute__((ext_vector_type(4)));
typedef float dmv_float8 __attribute__((ext_vector_type(8)));
typedef float dmv_float16 __attribute__((ext_vector_type(16)));

/* a * b + c, rounded once. */
DMV_INLINE dmv_float4 dmv_fma4(dmv_float4 a, dmv_float4 b, dmv_float4 c) { return __builtin_elementwise_fma(a, b, c); }
DMV_INLINE dmv_float8 dmv_fma8(dmv_float8 a, dmv_float8 b, dmv_float8 c) { return __builtin_elementwise_fma(a, b, c); }
DMV_INLINE dmv_float16 dmv_fma16(dmv_float16 a, dmv_float16 b, dmv_float16 c) {
    return __builtin_elementwise_fma(a, b, c);
}

/* Square root, correctly rounded; NaN below zero. */
DMV_INLINE dmv_float4 dmv_sqrt4(dmv_float4 x) { return __builtin_elementwise_sqrt(x); }
DMV_INLINE dmv_float8 dmv_sqrt8(dmv_float8 x) { return __builtin_elementwise_sqrt(x); }
DMV_INLINE dmv_float16 dmv_sqrt16(dmv_float16 x) { return __builtin_elementwise_sqrt(x); }

/* x limited to low ... high; NaN stays NaN. */
DMV_INLINE dmv_float4 dmv_limit4(dmv_float4 x, dmv_float4 low, dmv_float4 high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}
DMV_INLINE dmv_float8 dmv_limit8(dmv_float8 x, dmv_float8 low, dmv_float8 high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}
DMV_INLINE dmv_float16 dmv_limit16(dmv_float16 x, dmv_float16 low, dmv_float16 high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* What belongs to the higher of two numbers: a to x, b to y; of equal ones to x, and to a NaN before all. */
DMV_INLINE dmv_float4 dmv_of_higher4(dmv_float4 x, dmv_float4 y, dmv_float4 a, dmv_float4 b) {
    return ((y <= x) | (x != x)) ? a : b;
}
DMV_INLINE dmv_float8 dmv_of_higher8(dmv_float8 x, dmv_float8 y, dmv_float8 a, dmv_float8 b) {
    return ((y <= x) | (x != x)) ? a : b;
}
DMV_INLINE dmv_float16 dmv_of_higher16(dmv_float16 x, dmv_float16 y, dmv_float16 a, dmv_float16 b) {
    return ((y <= x) | (x != x)) ? a : b;
}

typedef _Bool dmv_bool8 __attribute__((ext_vector_type(8)));
typedef _Bool dmv_bool16 __attribute__((ext_vector_type(16)));

/* Bit i is set where element i is not zero (NaN is not). */
DMV_INLINE uint32_t dmv_nonzero8(dmv_float8 x) {
    dmv_bool8 mask = __builtin_convertvector(x != 0, dmv_bool8);
    uint8_t bits;
    memcpy(&bits, &mask, sizeof bits);
    return bits;
}
DMV_INLINE uint32_t dmv_nonzero16(dmv_float16 x) {
    dmv_bool16 mask = __builtin_convertvector(x != 0, dmv_bool16);
    uint16_t bits;
    memcpy(&bits, &mask, sizeof bits);
    return bits;
}

typedef uint8_t dmv_byte64 __attribute__((ext_vector_type(64)));
typedef _Bool dmv_bool64 __attribute__((ext_vector_type(64)));

/* Bit i is set where byte i of 64 has the value. */
DMV_INLINE uint64_t dmv_equal64(const uint8_t *x, uint8_t value) {
    dmv_byte64 lanes;
    memcpy(&lanes, x, sizeof lanes);
    dmv_bool64 mask = __builtin_convertvector(lanes == value, dmv_bool64);
    uint64_t bits;
    memcpy(&bits, &mask, sizeof bits);
    return bits;
}

/* The four sums of four vectors, by halves of what is left: each sum is a tree, the same for all four. */
DMV_INLINE dmv_float4 dmv_sums4(dmv_float4 a, dmv_float4 b, dmv_float4 c, dmv_float4 d) {
    dmv_float4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    dmv_float4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}
DMV_INLINE dmv_float4 dmv_sums8(dmv_float8 a, dmv_float8 b, dmv_float8 c, dmv_float8 d) {
    return dmv_sums4(a.lo + a.hi, b.lo + b.hi, c.lo + c.hi, d.lo + d.hi);
}
DMV_INLINE dmv_float4 dmv_sums16(dmv_float16 a, dmv_float16 b, dmv_float16 c, dmv_float16 d) {
    return dmv_sums8(a.lo + a.hi, b.lo + b.hi, c.lo + c.hi, d.lo + d.hi);
}

/* The transpose of four rows of four elements; strides count elements. */
DMV_INLINE void dmv_transpose4(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
    dmv_float4 a, b, c, d;
    memcpy(&a, x, sizeof a);
    memcpy(&b, x + x_stride, sizeof b);
    memcpy(&c, x + 2 * x_stride, sizeof c);
    memcpy(&d, x + 3 * x_stride, sizeof d);
    dmv_float4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    dmv_float4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
    memcpy(y, &a, sizeof a);
    memcpy(y + y_stride, &b, sizeof b);
    memcpy(y + 2 * y_stride, &c, sizeof c);
    memcpy(y + 3 * y_stride, &d, sizeof d);
}

#endif
