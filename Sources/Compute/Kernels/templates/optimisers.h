// Optimiser steps, one loop over the flat vector. Moments that have decayed to nothing are set to zero by comparison: denormal
// numbers would multiply the cost, and the processor's own flushing differs between architectures.
#define TINY_GRADIENT 0x1p-56f
#define TINY_MOMENT 0x1p-100f
#define TINY_SQUARE 0x1p-120f
#define FLUSH(v, limit) V_SELECT(M_LT(V_ABS(v), limit), zero, v)

static void K(sgd)(long n, float rate, float momentum, float decay, float *p, const float *g, float *v) {
  const V r = V_SET(rate), mu = V_SET(momentum), d = V_SET(decay), zero = V_ZERO(), tiny = V_SET(TINY_MOMENT);
#define BODY(LOAD, STORE)                                                                 \
  const V w = LOAD(p + i);                                                                \
  V s = V_FMA(mu, LOAD(v + i), V_FMA(d, w, LOAD(g + i)));                                 \
  s = FLUSH(s, tiny);                                                                     \
  STORE(v + i, s);                                                                        \
  STORE(p + i, V_FNMA(r, s, w));
  OVER(n, BODY);
#undef BODY
}

static void K(adam)(long n, const struct murmur_adam *c, float *p, const float *g, float *m, float *v) {
  const V rate = V_SET(c->rate), b1 = V_SET(c->beta1), b2 = V_SET(c->beta2), c1 = V_SET(1 - c->beta1), c2 = V_SET(1 - c->beta2);
  const V correction = V_SET(c->correction), epsilon = V_SET(c->epsilon), decay = V_SET(c->decay), shrink = V_SET(c->shrink);
  const V zero = V_ZERO(), tg = V_SET(TINY_GRADIENT), tm = V_SET(TINY_MOMENT), tv = V_SET(TINY_SQUARE);
#define BODY(LOAD, STORE)                                                                 \
  const V w = LOAD(p + i);                                                                \
  V d = V_FMA(decay, w, LOAD(g + i));                                                     \
  d = FLUSH(d, tg);                                                                       \
  V first = V_FMA(b1, LOAD(m + i), V_MUL(c1, d));                                         \
  first = FLUSH(first, tm);                                                               \
  V square = V_FMA(b2, LOAD(v + i), V_MUL(c2, V_MUL(d, d)));                              \
  square = V_SELECT(M_LT(square, tv), zero, square);                                      \
  STORE(m + i, first);                                                                    \
  STORE(v + i, square);                                                                   \
  const V root = V_FMA(V_SQRT(square), correction, epsilon);                              \
  STORE(p + i, V_FNMA(rate, V_DIV(first, root), V_MUL(shrink, w)));
  OVER(n, BODY);
#undef BODY
}
