// One loop over the flat vector each.

static void K(axpy)(long n, float a, const float *x, float *y) {
  const V f = V_SET(a);
#define BODY(LOAD, STORE) STORE(y + i, V_FMA(f, LOAD(x + i), LOAD(y + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(scale)(long n, float a, float *y) {
  const V f = V_SET(a);
#define BODY(LOAD, STORE) STORE(y + i, V_MUL(f, LOAD(y + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(add)(long n, const float *x, float *y) {
#define BODY(LOAD, STORE) STORE(y + i, V_ADD(LOAD(y + i), LOAD(x + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(subtract)(long n, const float *x, float *y) {
#define BODY(LOAD, STORE) STORE(y + i, V_SUB(LOAD(y + i), LOAD(x + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(multiply)(long n, const float *x, float *y) {
#define BODY(LOAD, STORE) STORE(y + i, V_MUL(LOAD(y + i), LOAD(x + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(lerp)(long n, float t, const float *x, float *y) {
  const V f = V_SET(t);
#define BODY(LOAD, STORE) V v = LOAD(y + i); STORE(y + i, V_FMA(f, V_SUB(LOAD(x + i), v), v));
  OVER(n, BODY);
#undef BODY
}

static void K(affine)(long n, float a, float b, float *y) {
  const V f = V_SET(a), g = V_SET(b);
#define BODY(LOAD, STORE) STORE(y + i, V_FMA(f, LOAD(y + i), g));
  OVER(n, BODY);
#undef BODY
}

// One chain per element over the vectors in their order.
static void K(mean)(long n, long count, const float *const *xs, const float *weights, float *y) {
#define BODY(LOAD, STORE)                                                                            \
  V s = V_MUL(V_SET(weights[0]), LOAD(xs[0] + i));                                                   \
  for (long q = 1; q < count; q++) s = V_FMA(V_SET(weights[q]), LOAD(xs[q] + i), s);                 \
  STORE(y + i, s);
  OVER(n, BODY);
#undef BODY
}
