// Transposing square blocks of LANES by LANES in registers: log2(LANES) rounds, each of which interleaves the lanes of row i with those of
// row i + LANES / 2.

#if LANES == 16
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif LANES == 8
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// v[j] lane i becomes v[i] lane j.
INLINE void K(transpose_block)(V v[LANES]) {
  V w[LANES];
  UNROLL for (int round = 1; round < LANES; round *= 2) {
    UNROLL for (int i = 0; i < LANES / 2; i++) {
      w[2 * i] = INTERLEAVE_LOW(v[i], v[i + LANES / 2]);
      w[2 * i + 1] = INTERLEAVE_HIGH(v[i], v[i + LANES / 2]);
    }
    UNROLL for (int i = 0; i < LANES; i++) v[i] = w[i];
  }
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
