// Optimiser steps, one loop over the flat vector. Gradients below 2^-63 and moments below 2^-95 become zero by a test of their exponent
// bits: denormal numbers would multiply the cost, and the processor's own flushing differs between architectures.
#define GRADIENT_BITS 0x60000000
#define MOMENT_BITS 0x70000000

static void K(sgd)(long n, float rate, float momentum, float decay, float *p, const float *g, float *v) {
  const V r = V_SET(rate), mu = V_SET(momentum), d = V_SET(decay);
  const I bits = I_SET(MOMENT_BITS);
#define BODY(LOAD, STORE)                                                                 \
  const V w = LOAD(p + i);                                                                \
  const V s = V_FMA(mu, LOAD(v + i), V_FMA(d, w, LOAD(g + i)));                           \
  const V kept = V_KEEP(s, bits);                                                         \
  STORE(v + i, kept);                                                                     \
  STORE(p + i, V_FNMA(r, kept, w));
  OVER(n, BODY);
#undef BODY
}

// `plain` is Adam without any decay.
INLINE void K(adam_steps)(const int plain, long n, const struct murmur_adam *c, float *p, const float *g, float *m, float *v) {
  const V rate = V_SET(c->rate), b1 = V_SET(c->beta1), b2 = V_SET(c->beta2), c1 = V_SET(1 - c->beta1), c2 = V_SET(1 - c->beta2);
  const V correction = V_SET(c->correction), epsilon = V_SET(c->epsilon), decay = V_SET(c->decay), shrink = V_SET(c->shrink);
  const I gradient_bits = I_SET(GRADIENT_BITS), moment_bits = I_SET(MOMENT_BITS);
#define BODY(LOAD, STORE)                                                                 \
  const V w = LOAD(p + i), raw = plain ? LOAD(g + i) : V_FMA(decay, w, LOAD(g + i));      \
  const V d = V_KEEP(raw, gradient_bits);                                                 \
  const V mean = V_FMA(b1, LOAD(m + i), V_MUL(c1, d));                                    \
  const V square = V_FMA(b2, LOAD(v + i), V_MUL(c2, V_MUL(d, d)));                        \
  const V first = V_KEEP(mean, moment_bits), second = V_KEEP(square, moment_bits);        \
  STORE(m + i, first);                                                                    \
  STORE(v + i, second);                                                                   \
  const V root = V_FMA(V_SQRT(second), correction, epsilon);                              \
  STORE(p + i, V_FNMA(rate, V_DIV(first, root), plain ? w : V_MUL(shrink, w)));
  OVER(n, BODY);
#undef BODY
}

static void K(adam)(long n, const struct murmur_adam *c, float *p, const float *g, float *m, float *v) {
  if (c->decay == 0 && c->shrink == 1) K(adam_steps)(1, n, c, p, g, m, v);
  else K(adam_steps)(0, n, c, p, g, m, v);
}
