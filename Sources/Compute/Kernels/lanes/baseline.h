// Four lanes in portable vector extensions: what every processor can do. The fused multiply-add is the C library's where the
// processor has none, so this variant is slow there; it exists to be right, and to compare the others with.
#define LANES 4
typedef float K(vector) __attribute__((vector_size(16), aligned(4)));
typedef int32_t K(integers) __attribute__((vector_size(16), aligned(4)));
#define V K(vector)
#define I K(integers)
#define M K(integers)
#define INLINE_LANES static inline __attribute__((always_inline))
INLINE_LANES V K(load)(const float *p) { V v; __builtin_memcpy(&v, p, 16); return v; }
INLINE_LANES void K(store)(float *p, V v) { __builtin_memcpy(p, &v, 16); }
INLINE_LANES V K(load_some)(const float *p, long n) { V v = {0, 0, 0, 0}; for (long i = 0; i < n; i++) v[i] = p[i]; return v; }
INLINE_LANES void K(store_some)(float *p, V v, long n) { for (long i = 0; i < n; i++) p[i] = v[i]; }
INLINE_LANES V K(fused)(V a, V b, V c) {
  return (V){__builtin_fmaf(a[0], b[0], c[0]), __builtin_fmaf(a[1], b[1], c[1]), __builtin_fmaf(a[2], b[2], c[2]),
             __builtin_fmaf(a[3], b[3], c[3])};
}
INLINE_LANES V K(select)(I m, V a, V b) { return (V)((m & (I)a) | (~m & (I)b)); }
INLINE_LANES V K(root)(V a) {
  return (V){__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
}
INLINE_LANES I K(rounded)(V a) {
  return (I){(int32_t)__builtin_rintf(a[0]), (int32_t)__builtin_rintf(a[1]), (int32_t)__builtin_rintf(a[2]),
             (int32_t)__builtin_rintf(a[3])};
}
#define V_LOAD(p) K(load)(p)
#define V_STORE(p, v) K(store)(p, v)
#define V_LOADN(p, n) K(load_some)(p, n)
#define V_STOREN(p, v, n) K(store_some)(p, v, n)
INLINE_LANES V K(set)(float x) { return (V){x, x, x, x}; }
INLINE_LANES I K(set_integer)(int32_t x) { return (I){x, x, x, x}; }
#define V_SET(x) K(set)(x)
#define V_ZERO() K(set)(0)
#define V_FMA(a, b, c) K(fused)(a, b, c)
#define V_FNMA(a, b, c) K(fused)(-(a), b, c)
#define V_ADD(a, b) ((a) + (b))
#define V_SUB(a, b) ((a) - (b))
#define V_MUL(a, b) ((a) * (b))
#define V_DIV(a, b) ((a) / (b))
#define V_SQRT(a) K(root)(a)
INLINE_LANES V K(greater)(V a, V b) { return K(select)((I)(a > b), a, b); }
INLINE_LANES V K(smaller)(V a, V b) { return K(select)((I)(a < b), a, b); }
#define V_MAX(a, b) K(greater)(a, b)
#define V_MIN(a, b) K(smaller)(a, b)
#define V_ABS(a) ((V)((I)(a) & K(set_integer)(0x7fffffff)))
#define M_LT(a, b) ((I)((a) < (b)))
#define M_EQ(a, b) ((I)((a) == (b)))
#define V_SELECT(m, a, b) K(select)(m, a, b)
#define I_OF(v) ((I)(v))
#define V_OF(i) ((V)(i))
#define I_SET(x) K(set_integer)(x)
#define I_ADD(a, b) ((a) + (b))
#define I_SUB(a, b) ((a) - (b))
#define I_AND(a, b) ((a) & (b))
#define I_OR(a, b) ((a) | (b))
#define I_SHL(a, n) ((a) << (n))
#define I_SAR(a, n) ((a) >> (n))
#define V_FROM_I(i) __builtin_convertvector(i, V)
#define I_FROM_V(v) K(rounded)(v)
// v where it has one of these exponent bits, zero elsewhere.
#define V_KEEP(v, bits) ((V)((I)(v) & (I)(((I)(v) & (bits)) != K(set_integer)(0))))
