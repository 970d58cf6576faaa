#define _POSIX_C_SOURCE 200809L
#include "include/peak.h"
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

double murmur_thread_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static volatile float sink;
// The values never settle, as in real work: some processors clock up while results keep their bits.
#define TURNS 4000000L
#define CHAINS 12
#define PEAK(V, SET, FMA, STORE, LANES)                                                     \
  V a[CHAINS];                                                                              \
  for (int i = 0; i < CHAINS; i++) a[i] = SET(0.1273f * (float)i);                          \
  const V b = SET(-1.0f), c = SET(0.7113f);                                                 \
  const double before = murmur_thread_seconds();                                            \
  for (long n = 0; n < TURNS; n++)                                                          \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) a[i] = FMA(a[i], b, c); \
  const double took = murmur_thread_seconds() - before;                                     \
  float out[LANES];                                                                         \
  for (int i = 0; i < CHAINS; i++) { STORE(out, a[i]); sink = out[0]; }                     \
  return (double)TURNS * CHAINS * LANES * 2 / took / 1e9;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double peak512(void) {
  PEAK(__m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps, 16)
}
__attribute__((target("avx2,fma"))) static double peak256(void) {
  PEAK(__m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps, 8)
}
double murmur_peak(void) {
  __builtin_cpu_init();
  double best = 0;
  for (int turn = 0; turn < 3; turn++) {
    double now = 0;
    if (__builtin_cpu_supports("avx512f")) now = peak512();
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) now = peak256();
    if (now > best) best = now;
  }
  return best;
}
#elif defined(__aarch64__)
#define FUSED(a, b, c) vfmaq_f32(c, a, b)
double murmur_peak(void) { PEAK(float32x4_t, vdupq_n_f32, FUSED, vst1q_f32, 4) }
#else
double murmur_peak(void) { return 0; }
#endif
