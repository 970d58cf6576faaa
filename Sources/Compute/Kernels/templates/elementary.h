// exp, log, tanh and the logistic function from fused multiply-adds, exact divisions and integer arithmetic on exponents: the
// same bits in every variant, about one unit in the last place.

// e^x; 0 below -87, the value at 88 above it; NaN stays NaN.
INLINE V K(vexp)(V x) {
  const M low = M_LT(x, V_SET(-87.0f));
  const V top = V_MIN(V_SET(88.0f), x);  // the second operand, x, stays if it is NaN
  const V clamped = V_MAX(V_SET(-87.0f), top);
  const V magic = V_SET(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  const V n = V_SUB(V_FMA(clamped, V_SET(1.44269504f), magic), magic);
  V r = V_FNMA(n, V_SET(0.693145752f), clamped);
  r = V_FNMA(n, V_SET(1.42860677e-6f), r);
  V p = V_SET(1.0f / 5040);
  p = V_FMA(p, r, V_SET(1.0f / 720));
  p = V_FMA(p, r, V_SET(1.0f / 120));
  p = V_FMA(p, r, V_SET(1.0f / 24));
  p = V_FMA(p, r, V_SET(1.0f / 6));
  p = V_FMA(p, r, V_SET(0.5f));
  p = V_FMA(p, r, V_SET(1.0f));
  p = V_FMA(p, r, V_SET(1.0f));
  const V power = V_OF(I_SHL(I_ADD(I_FROM_V(n), I_SET(127)), 23));
  return V_SELECT(low, V_ZERO(), V_MUL(p, power));
}

// e^x - 1 for 0 <= x <= 40.
INLINE V K(vexpm1)(V x) {
  const V magic = V_SET(12582912.0f);
  const V n = V_SUB(V_FMA(x, V_SET(1.44269504f), magic), magic);
  V r = V_FNMA(n, V_SET(0.693145752f), x);
  r = V_FNMA(n, V_SET(1.42860677e-6f), r);
  V p = V_SET(1.0f / 40320);
  p = V_FMA(p, r, V_SET(1.0f / 5040));
  p = V_FMA(p, r, V_SET(1.0f / 720));
  p = V_FMA(p, r, V_SET(1.0f / 120));
  p = V_FMA(p, r, V_SET(1.0f / 24));
  p = V_FMA(p, r, V_SET(1.0f / 6));
  p = V_FMA(p, r, V_SET(0.5f));
  p = V_FMA(V_MUL(p, r), r, r);
  const V power = V_OF(I_SHL(I_ADD(I_FROM_V(n), I_SET(127)), 23));
  return V_FMA(power, p, V_SUB(power, V_SET(1.0f)));
}

// The natural logarithm of a positive normal number.
INLINE V K(vlog)(V x) {
  // The exponent is taken so that the mantissa lies between sqrt(1/2) and sqrt(2).
  const I bits = I_SUB(I_OF(x), I_SET(0x3f3504f3));
  const I e = I_SAR(bits, 23);
  const V m = V_OF(I_SUB(I_OF(x), I_SHL(e, 23)));
  const V exponent = V_FROM_I(e);
  const V t = V_DIV(V_SUB(m, V_SET(1.0f)), V_ADD(m, V_SET(1.0f)));
  const V s = V_MUL(t, t);
  V p = V_SET(2.0f / 9);
  p = V_FMA(p, s, V_SET(2.0f / 7));
  p = V_FMA(p, s, V_SET(2.0f / 5));
  p = V_FMA(p, s, V_SET(2.0f / 3));
  p = V_MUL(V_MUL(p, s), t);
  p = V_FMA(exponent, V_SET(1.42860677e-6f), p);
  p = V_FMA(t, V_SET(2.0f), p);
  return V_FMA(exponent, V_SET(0.693145752f), p);
}

INLINE V K(vtanh)(V x) {
  const V a = V_MIN(V_SET(10.0f), V_ABS(x));
  const V e = K(vexpm1)(V_ADD(a, a));
  const V t = V_DIV(e, V_ADD(e, V_SET(2.0f)));
  return V_OF(I_OR(I_OF(t), I_AND(I_OF(x), I_SET((int32_t)0x80000000))));
}

INLINE V K(vsigmoid)(V x) {
  const V e = K(vexp)(V_SUB(V_ZERO(), V_MAX(V_SET(-40.0f), x)));
  return V_DIV(V_SET(1.0f), V_ADD(V_SET(1.0f), e));
}

// A loop over whole vectors and one partial one; BODY uses `i` and LOAD/STORE.
#define OVER(n, BODY)                                              \
  do {                                                             \
    long i = 0;                                                    \
    for (; i + LANES <= (n); i += LANES) {                         \
      _Pragma("clang diagnostic push") BODY(V_LOAD, V_STORE)       \
      _Pragma("clang diagnostic pop")                              \
    }                                                              \
    if (i < (n)) {                                                 \
      const long rest = (n) - i;                                   \
      BODY(LOAD_REST, STORE_REST)                                  \
    }                                                              \
  } while (0)
#define LOAD_REST(p) V_LOADN(p, rest)
#define STORE_REST(p, v) V_STOREN(p, v, rest)

static void K(exp)(long n, const float *x, float *y) {
#define BODY(LOAD, STORE) STORE(y + i, K(vexp)(LOAD(x + i)));
  OVER(n, BODY);
#undef BODY
}

static void K(log)(long n, const float *x, float *y) {
#define BODY(LOAD, STORE) STORE(y + i, K(vlog)(LOAD(x + i)));
  OVER(n, BODY);
#undef BODY
}
