// Sixteen lanes of AVX-512. Macros rather than functions: a function that passes 64-byte vectors has no stable calling convention.
#include <immintrin.h>
#define LANES 16
#define V __m512
#define I __m512i
#define M __mmask16
#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_STORE(p, v) _mm512_storeu_ps(p, v)
#define V_MASK(n) ((__mmask16)((1u << (n)) - 1u))
#define V_LOADN(p, n) _mm512_maskz_loadu_ps(V_MASK(n), p)
#define V_STOREN(p, v, n) _mm512_mask_storeu_ps(p, V_MASK(n), v)
#define V_SET(x) _mm512_set1_ps(x)
#define V_ZERO() _mm512_setzero_ps()
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_SQRT(a) _mm512_sqrt_ps(a)
#define V_MAX(a, b) _mm512_max_ps(a, b)
#define V_MIN(a, b) _mm512_min_ps(a, b)
#define V_ABS(a) _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff)))
#define M_LT(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define M_EQ(a, b) _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ)
#define V_SELECT(m, a, b) _mm512_mask_blend_ps(m, b, a)
#define I_OF(v) _mm512_castps_si512(v)
#define V_OF(i) _mm512_castsi512_ps(i)
#define I_SET(x) _mm512_set1_epi32(x)
#define I_ADD(a, b) _mm512_add_epi32(a, b)
#define I_SUB(a, b) _mm512_sub_epi32(a, b)
#define I_AND(a, b) _mm512_and_si512(a, b)
#define I_OR(a, b) _mm512_or_si512(a, b)
#define I_SHL(a, n) _mm512_slli_epi32(a, n)
#define I_SAR(a, n) _mm512_srai_epi32(a, n)
#define V_FROM_I(i) _mm512_cvtepi32_ps(i)
#define I_FROM_V(v) _mm512_cvtps_epi32(v)
// v where it has one of these exponent bits, zero elsewhere.
#define V_KEEP(v, bits) _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(v), bits), v)
