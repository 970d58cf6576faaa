// Four lanes of NEON (arm64).
#include <arm_neon.h>
#define LANES 4
#define V float32x4_t
#define I int32x4_t
#define M uint32x4_t
#define INLINE_LANES static inline __attribute__((always_inline))
INLINE_LANES float32x4_t K(load_some)(const float *p, long n) {
  float32x4_t v = vdupq_n_f32(0);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
INLINE_LANES void K(store_some)(float *p, float32x4_t v, long n) {
  if (n > 0) vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
#define V_LOAD(p) vld1q_f32(p)
#define V_STORE(p, v) vst1q_f32(p, v)
#define V_LOADN(p, n) K(load_some)(p, n)
#define V_STOREN(p, v, n) K(store_some)(p, v, n)
#define V_SET(x) vdupq_n_f32(x)
#define V_ZERO() vdupq_n_f32(0)
#define V_FMA(a, b, c) vfmaq_f32(c, a, b)
#define V_FNMA(a, b, c) vfmsq_f32(c, a, b)
#define V_ADD(a, b) vaddq_f32(a, b)
#define V_SUB(a, b) vsubq_f32(a, b)
#define V_MUL(a, b) vmulq_f32(a, b)
#define V_DIV(a, b) vdivq_f32(a, b)
#define V_SQRT(a) vsqrtq_f32(a)
// The second operand where the comparison does not hold, as x86 has it: NaN in the second operand stays.
#define V_MAX(a, b) K(greater)(a, b)
#define V_MIN(a, b) K(smaller)(a, b)
INLINE_LANES float32x4_t K(greater)(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE_LANES float32x4_t K(smaller)(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
#define V_ABS(a) vabsq_f32(a)
#define M_LT(a, b) vcltq_f32(a, b)
#define M_EQ(a, b) vceqq_f32(a, b)
#define V_SELECT(m, a, b) vbslq_f32(m, a, b)
#define I_OF(v) vreinterpretq_s32_f32(v)
#define V_OF(i) vreinterpretq_f32_s32(i)
#define I_SET(x) vdupq_n_s32(x)
#define I_ADD(a, b) vaddq_s32(a, b)
#define I_SUB(a, b) vsubq_s32(a, b)
#define I_AND(a, b) vandq_s32(a, b)
#define I_OR(a, b) vorrq_s32(a, b)
#define I_SHL(a, n) vshlq_n_s32(a, n)
#define I_SAR(a, n) vshrq_n_s32(a, n)
#define V_FROM_I(i) vcvtq_f32_s32(i)
#define I_FROM_V(v) vcvtnq_s32_f32(v)
// v where it has one of these exponent bits, zero elsewhere.
#define V_KEEP(v, bits) vreinterpretq_f32_u32(vandq_u32(vtstq_s32(vreinterpretq_s32_f32(v), bits), vreinterpretq_u32_f32(v)))
