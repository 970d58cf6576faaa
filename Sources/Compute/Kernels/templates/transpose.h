// Transposing square blocks of LANES by LANES in registers: pairs of rows are interleaved within 128-bit lanes, then pairs of pairs, and
// then the 128-bit lanes themselves are exchanged.

// v[j] lane i becomes v[i] lane j.
INLINE void K(transpose_block)(V v[LANES]) {
#if LANES == 16
#define QUAD(a, b, which) _mm512_shuffle_f32x4(a, b, which)
#define PAIRS(a, b, half) _mm512_castpd_ps(_mm512_unpack##half##_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
  V t[LANES], u[LANES];
  UNROLL for (int i = 0; i < LANES; i += 2) {
    t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
  }
  UNROLL for (int i = 0; i < LANES; i += 4) {
    u[i] = PAIRS(t[i], t[i + 2], lo);
    u[i + 1] = PAIRS(t[i], t[i + 2], hi);
    u[i + 2] = PAIRS(t[i + 1], t[i + 3], lo);
    u[i + 3] = PAIRS(t[i + 1], t[i + 3], hi);
  }
  UNROLL for (int c = 0; c < 4; c++) {
    const V a = QUAD(u[c], u[4 + c], 0x44), b = QUAD(u[8 + c], u[12 + c], 0x44);
    const V d = QUAD(u[c], u[4 + c], 0xee), e = QUAD(u[8 + c], u[12 + c], 0xee);
    v[c] = QUAD(a, b, 0x88);
    v[4 + c] = QUAD(a, b, 0xdd);
    v[8 + c] = QUAD(d, e, 0x88);
    v[12 + c] = QUAD(d, e, 0xdd);
  }
#undef QUAD
#undef PAIRS
#elif LANES == 8
#define PAIRS(a, b, half) _mm256_castpd_ps(_mm256_unpack##half##_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)))
  V t[LANES], u[LANES];
  UNROLL for (int i = 0; i < LANES; i += 2) {
    t[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
  UNROLL for (int i = 0; i < LANES; i += 4) {
    u[i] = PAIRS(t[i], t[i + 2], lo);
    u[i + 1] = PAIRS(t[i], t[i + 2], hi);
    u[i + 2] = PAIRS(t[i + 1], t[i + 3], lo);
    u[i + 3] = PAIRS(t[i + 1], t[i + 3], hi);
  }
  UNROLL for (int c = 0; c < 4; c++) {
    v[c] = _mm256_permute2f128_ps(u[c], u[4 + c], 0x20);
    v[4 + c] = _mm256_permute2f128_ps(u[c], u[4 + c], 0x31);
  }
#undef PAIRS
#else
  const V a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
  const V d = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5), e = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
  v[0] = __builtin_shufflevector(a, d, 0, 1, 4, 5);
  v[1] = __builtin_shufflevector(a, d, 2, 3, 6, 7);
  v[2] = __builtin_shufflevector(b, e, 0, 1, 4, 5);
  v[3] = __builtin_shufflevector(b, e, 2, 3, 6, 7);
#endif
}

static void K(transpose)(long rows, long cols, const float *src, long lds, float *dst, long ldd) {
  V v[LANES];
  for (long i = 0; i < rows; i += LANES) {
    const long high = rows - i < LANES ? rows - i : LANES;
    for (long j = 0; j < cols; j += LANES) {
      const long wide = cols - j < LANES ? cols - j : LANES;
      const float *from = src + i * lds + j;
      float *to = dst + j * ldd + i;
      if (high == LANES && wide == LANES) {
        UNROLL for (int r = 0; r < LANES; r++) v[r] = V_LOAD(from + r * lds);
        K(transpose_block)(v);
        UNROLL for (int r = 0; r < LANES; r++) V_STORE(to + r * ldd, v[r]);
      } else if (high * wide <= 2 * LANES) {
        for (long r = 0; r < wide; r++)
          for (long q = 0; q < high; q++) to[r * ldd + q] = from[q * lds + r];
      } else {
        UNROLL for (int r = 0; r < LANES; r++) {
          if (r >= high) v[r] = V_ZERO();
          else if (wide == LANES) v[r] = V_LOAD(from + r * lds);
          else v[r] = V_LOADN(from + r * lds, wide);
        }
        K(transpose_block)(v);
        UNROLL for (int r = 0; r < LANES; r++)
          if (r < wide) {
            if (high == LANES) V_STORE(to + r * ldd, v[r]);
            else V_STOREN(to + r * ldd, v[r], high);
          }
      }
    }
  }
}
