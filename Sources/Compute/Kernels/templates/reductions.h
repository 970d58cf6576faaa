// Reductions into 64 lanes, element i in lane i mod 64, then a tree that halves the lanes: (l, l + 32), (l, l + 16) and so on.
#define WIDE 64
#define PARTS (WIDE / LANES)

#define REDUCTION(name, parameters, TWO, second, STEP, COMBINE)                                          \
  static float K(name) parameters {                                                                     \
    V s[PARTS];                                                                                         \
    UNROLL for (int j = 0; j < PARTS; j++) s[j] = V_ZERO();                                             \
    long i = 0;                                                                                         \
    for (; i + WIDE <= n; i += WIDE) {                                                                  \
      UNROLL for (int j = 0; j < PARTS; j++) {                                                          \
        const V a = V_LOAD(x + i + j * LANES);                                                          \
        const V b = TWO ? V_LOAD(second + i + j * LANES) : a;                                           \
        (void)b;                                                                                        \
        s[j] = STEP(a, b, s[j]);                                                                        \
      }                                                                                                 \
    }                                                                                                   \
    if (i < n) {                                                                                        \
      float ra[WIDE], rb[WIDE];                                                                         \
      for (int l = 0; l < WIDE; l++) ra[l] = rb[l] = NEUTRAL;                                           \
      memcpy(ra, x + i, (size_t)(n - i) * sizeof(float));                                               \
      if (TWO) memcpy(rb, second + i, (size_t)(n - i) * sizeof(float));                                 \
      UNROLL for (int j = 0; j < PARTS; j++) {                                                          \
        const V a = V_LOAD(ra + j * LANES);                                                             \
        const V b = TWO ? V_LOAD(rb + j * LANES) : a;                                                   \
        (void)b;                                                                                        \
        s[j] = STEP(a, b, s[j]);                                                                        \
      }                                                                                                 \
    }                                                                                                   \
    float t[WIDE];                                                                                      \
    UNROLL for (int j = 0; j < PARTS; j++) V_STORE(t + j * LANES, s[j]);                                \
    for (int half = WIDE / 2; half > 0; half /= 2)                                                      \
      for (int l = 0; l < half; l++) t[l] = COMBINE(t[l], t[l + half]);                                 \
    return t[0];                                                                                        \
  }

#define PLUS(a, b) ((a) + (b))
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define NEUTRAL 0.0f

#define STEP(a, b, s) V_ADD(s, a)
REDUCTION(sum, (long n, const float *x), 0, x, STEP, PLUS)
#undef STEP
#define STEP(a, b, s) V_FMA(a, b, s)
REDUCTION(dot, (long n, const float *x, const float *y), 1, y, STEP, PLUS)
REDUCTION(squared_norm, (long n, const float *x), 0, x, STEP, PLUS)
#undef STEP
#define STEP(a, b, s) V_FMA(V_SUB(a, b), V_SUB(a, b), s)
REDUCTION(squared_distance, (long n, const float *x, const float *y), 1, y, STEP, PLUS)
#undef STEP
#define STEP(a, b, s) V_MAX(V_ABS(a), s)
REDUCTION(max_abs, (long n, const float *x), 0, x, STEP, LARGER)
#undef STEP
#define STEP(a, b, s) V_MAX(V_ABS(V_SUB(a, b)), s)
REDUCTION(max_abs_difference, (long n, const float *x, const float *y), 1, y, STEP, LARGER)
#undef STEP
#undef NEUTRAL
#define NEUTRAL center
#define STEP(a, b, s) V_FMA(V_SUB(a, V_SET(center)), V_SUB(a, V_SET(center)), s)
REDUCTION(squared_deviation, (long n, float center, const float *x), 0, x, STEP, PLUS)
#undef STEP
#undef NEUTRAL

static int K(is_finite)(long n, const float *x) {
  // x - x is zero for finite x and NaN otherwise; a NaN stays in its lane.
  V s = V_ZERO();
  long i = 0;
  for (; i + LANES <= n; i += LANES) {
    const V a = V_LOAD(x + i);
    s = V_ADD(s, V_SUB(a, a));
  }
  if (i < n) {
    const V a = V_LOADN(x + i, n - i);
    s = V_ADD(s, V_SUB(a, a));
  }
  float t[LANES];
  V_STORE(t, s);
  for (int l = 0; l < LANES; l++)
    if (!(t[l] == 0)) return 0;
  return 1;
}
