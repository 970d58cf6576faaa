// Coordinate-wise rules over several vectors: the values of one coordinate are sorted by a network of minimum and maximum, lanes
// side by side. Odd-even transposition: simple, branch-free, and the same result in every variant because sorting is exact.
#define MOST 64

INLINE void K(sort_columns)(long count, V *v) {
  for (long pass = 0; pass < count; pass++)
    for (long q = pass & 1; q + 1 < count; q += 2) {
      const V low = V_MIN(v[q], v[q + 1]), high = V_MAX(v[q + 1], v[q]);
      v[q] = low;
      v[q + 1] = high;
    }
}

static void K(trimmed_mean)(long n, long count, long trim, const float *const *xs, float *y) {
  V v[MOST];
  const V inverse = V_SET((float)(count - 2 * trim));
#define BODY(LOAD, STORE)                                                 \
  for (long q = 0; q < count; q++) v[q] = LOAD(xs[q] + i);                \
  K(sort_columns)(count, v);                                              \
  V s = v[trim];                                                          \
  for (long q = trim + 1; q < count - trim; q++) s = V_ADD(s, v[q]);      \
  STORE(y + i, V_DIV(s, inverse));
  OVER(n, BODY);
#undef BODY
}

static void K(median)(long n, long count, const float *const *xs, float *y) {
  V v[MOST];
  const V half = V_SET(0.5f);
#define BODY(LOAD, STORE)                                                                                \
  for (long q = 0; q < count; q++) v[q] = LOAD(xs[q] + i);                                               \
  K(sort_columns)(count, v);                                                                             \
  STORE(y + i, count & 1 ? v[count / 2] : V_MUL(half, V_ADD(v[count / 2 - 1], v[count / 2])));
  OVER(n, BODY);
#undef BODY
}
