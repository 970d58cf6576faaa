// Eight lanes of AVX2 with FMA.
#include <immintrin.h>
#define LANES 8
#define V __m256
#define I __m256i
#define M __m256
static const int32_t K(mask_table)[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_STORE(p, v) _mm256_storeu_ps(p, v)
#define V_MASK(n) _mm256_loadu_si256((const __m256i *)(const void *)(K(mask_table) + 8 - (n)))
#define V_LOADN(p, n) _mm256_maskload_ps(p, V_MASK(n))
#define V_STOREN(p, v, n) _mm256_maskstore_ps(p, V_MASK(n), v)
#define V_SET(x) _mm256_set1_ps(x)
#define V_ZERO() _mm256_setzero_ps()
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_DIV(a, b) _mm256_div_ps(a, b)
#define V_SQRT(a) _mm256_sqrt_ps(a)
#define V_MAX(a, b) _mm256_max_ps(a, b)
#define V_MIN(a, b) _mm256_min_ps(a, b)
#define V_ABS(a) _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)))
#define M_LT(a, b) _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define M_EQ(a, b) _mm256_cmp_ps(a, b, _CMP_EQ_OQ)
#define V_SELECT(m, a, b) _mm256_blendv_ps(b, a, m)
#define I_OF(v) _mm256_castps_si256(v)
#define V_OF(i) _mm256_castsi256_ps(i)
#define I_SET(x) _mm256_set1_epi32(x)
#define I_ADD(a, b) _mm256_add_epi32(a, b)
#define I_SUB(a, b) _mm256_sub_epi32(a, b)
#define I_AND(a, b) _mm256_and_si256(a, b)
#define I_OR(a, b) _mm256_or_si256(a, b)
#define I_SHL(a, n) _mm256_slli_epi32(a, n)
#define I_SAR(a, n) _mm256_srai_epi32(a, n)
#define V_FROM_I(i) _mm256_cvtepi32_ps(i)
#define I_FROM_V(v) _mm256_cvtps_epi32(v)
// v where it has one of these exponent bits, zero elsewhere.
#define V_KEEP(v, bits) \
  _mm256_andnot_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_castps_si256(v), bits), _mm256_setzero_si256())), v)
