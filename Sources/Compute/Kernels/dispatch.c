// Which variant runs: the one MURMUR_KERNELS names, else the best this processor can do.
#include "blocking.h"
#include "include/kernels.h"
#include <stdlib.h>
#include <string.h>

extern const struct murmur_kernels murmur_baseline_table;
#if defined(__x86_64__)
extern const struct murmur_kernels murmur_avx2_table, murmur_avx512_table;
static const char *const names[] = {"avx512", "avx2", "baseline"};
#elif defined(__aarch64__)
extern const struct murmur_kernels murmur_neon_table;
static const char *const names[] = {"neon", "baseline"};
#else
static const char *const names[] = {"baseline"};
#endif

long murmur_variant_count(void) { return (long)(sizeof names / sizeof *names); }

const char *murmur_variant_name(long index) { return names[index]; }

const struct murmur_kernels *murmur_variant(const char *name) {
  if (strcmp(name, "baseline") == 0) return &murmur_baseline_table;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &murmur_avx2_table;
  if (strcmp(name, "avx512") == 0 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return &murmur_avx512_table;
#elif defined(__aarch64__)
  if (strcmp(name, "neon") == 0) return &murmur_neon_table;
#endif
  return NULL;
}

const char *murmur_forced_name(void) {
  const char *forced = getenv("MURMUR_KERNELS");
  return forced && *forced ? forced : NULL;
}

const struct murmur_kernels *murmur_selected(void) {
  const char *forced = murmur_forced_name();
  if (forced) return murmur_variant(forced);
  for (long i = 0; i < murmur_variant_count(); i++) {
    const struct murmur_kernels *table = murmur_variant(names[i]);
    if (table) return table;
  }
  return NULL;
}

// The largest block of packed a and of packed b, each rounded up to whole panels.
long murmur_gemm_scratch(void) {
  return MURMUR_KC * (MURMUR_MC + MURMUR_PANEL_ROWS) + MURMUR_KC * (MURMUR_NC + MURMUR_PANEL_COLUMNS);
}

int murmur_gemm_small(int ta, int tb, long m, long n, long k) {
  (void)ta;
  return !tb && (m <= 6 || n * k <= 128 * 128);
}

long murmur_dense_scratch(long in, long out) { return out < 16 ? in * out : 0; }

long murmur_part_scratch(long rows, long in, long out) { return rows * (1 + in + out) + in * out; }
