// Matrix products. A register tile of MR rows by NV vectors walks k upwards, one fused multiply-add chain per element; everything
// around it (column blocks, row blocks, k blocks that carry on from C, packing) only changes which element is worked on when.

enum { K(start_zero), K(start_c), K(start_bias) };
enum { K(finish_none), K(finish_relu), K(finish_leaky), K(finish_relu_mask), K(finish_leaky_mask) };

// What a tile does before and after its chains.
struct K(tile_ends) {
  int start;                    // where the chains begin
  int finish;                   // what is done to the finished elements
  const float *bias;            // one per column, for start_bias
  const float *mask;            // same shape as c, for the *_mask finishes: the derivative of relu or leaky relu at these outputs
};

#if LANES == 16 || defined(__aarch64__)
#define NV_MAX 4
#else
#define NV_MAX 2
#endif
#define MR_PANEL MURMUR_PANEL_ROWS
#define NR_PANEL (NV_MAX * LANES)
#define LEAK 0.01f

typedef void (*K(tile_function))(long k, const float *a, long rsa, long csa, const float *b, long ldb, float *c, long ldc, long tail,
                                 const struct K(tile_ends) *ends);

// One tile: c[mr][nv vectors] from a (element (r, p) at a[r * rsa + p * csa]) and b (row p at b + p * ldb). The last vector has
// `tail` lanes if `partial`.
INLINE void K(tile)(const int mr, const int nv, const int partial, long k, const float *a, long rsa, long csa, const float *b,
                    long ldb, float *c, long ldc, long tail, const struct K(tile_ends) *ends) {
  V acc[12][4];
#define LOAD_AT(p, j) ((partial && (j) == nv - 1) ? V_LOADN((p) + (j) * LANES, tail) : V_LOAD((p) + (j) * LANES))
  if (ends->start == K(start_zero)) {
    UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++) acc[r][j] = V_ZERO();
  } else if (ends->start == K(start_c)) {
    UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++) acc[r][j] = LOAD_AT(c + r * ldc, j);
  } else {
    UNROLL for (int j = 0; j < nv; j++) {
      V bias = LOAD_AT(ends->bias, j);
      UNROLL for (int r = 0; r < mr; r++) acc[r][j] = bias;
    }
  }
  for (long p = 0; p < k; p++) {
    V row[4];
    UNROLL for (int j = 0; j < nv; j++) row[j] = LOAD_AT(b, j);
    UNROLL for (int r = 0; r < mr; r++) {
      V x = V_SET(a[r * rsa]);
      UNROLL for (int j = 0; j < nv; j++) acc[r][j] = V_FMA(x, row[j], acc[r][j]);
    }
    a += csa;
    b += ldb;
  }
  if (ends->finish != K(finish_none)) {
    const V zero = V_ZERO(), leak = V_SET(LEAK);
    switch (ends->finish) {
      case K(finish_relu):
        UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++) acc[r][j] = V_MAX(zero, acc[r][j]);
        break;
      case K(finish_leaky):
        UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++)
            acc[r][j] = V_SELECT(M_LT(acc[r][j], zero), V_MUL(leak, acc[r][j]), acc[r][j]);
        break;
      case K(finish_relu_mask):
        UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++)
            acc[r][j] = V_SELECT(M_LT(zero, LOAD_AT(ends->mask + r * ldc, j)), acc[r][j], zero);
        break;
      default:
        UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++)
            acc[r][j] = V_SELECT(M_LT(LOAD_AT(ends->mask + r * ldc, j), zero), V_MUL(leak, acc[r][j]), acc[r][j]);
    }
  }
  UNROLL for (int r = 0; r < mr; r++) UNROLL for (int j = 0; j < nv; j++) {
    if (partial && j == nv - 1) V_STOREN(c + r * ldc + j * LANES, acc[r][j], tail);
    else V_STORE(c + r * ldc + j * LANES, acc[r][j]);
  }
#undef LOAD_AT
}

#define TILE(mr, nv, partial)                                                                                                   \
  static void K(tile_##mr##_##nv##_##partial)(long k, const float *a, long rsa, long csa, const float *b, long ldb, float *c,   \
                                              long ldc, long tail, const struct K(tile_ends) *ends) {                          \
    K(tile)(mr, nv, partial, k, a, rsa, csa, b, ldb, c, ldc, tail, ends);                                                       \
  }
#define ROWS6(nv, p) TILE(1, nv, p) TILE(2, nv, p) TILE(3, nv, p) TILE(4, nv, p) TILE(5, nv, p) TILE(6, nv, p)
#define ROWS12(nv, p) ROWS6(nv, p) TILE(7, nv, p) TILE(8, nv, p) TILE(9, nv, p) TILE(10, nv, p) TILE(11, nv, p) TILE(12, nv, p)
#define NAME(mr, nv, p) K(tile_##mr##_##nv##_##p)
#define NAMES6(nv, p) NAME(1, nv, p), NAME(2, nv, p), NAME(3, nv, p), NAME(4, nv, p), NAME(5, nv, p), NAME(6, nv, p)
#define NAMES12(nv, p) NAMES6(nv, p), NAME(7, nv, p), NAME(8, nv, p), NAME(9, nv, p), NAME(10, nv, p), NAME(11, nv, p), NAME(12, nv, p)

#if NV_MAX == 4
#define WIDTHS_TILES(p) ROWS12(1, p) ROWS12(2, p) ROWS6(3, p) ROWS6(4, p)
#define WIDTHS_NAMES(p) {{NAMES12(1, p)}, {NAMES12(2, p)}, {NAMES6(3, p)}, {NAMES6(4, p)}}
static const int K(row_limit)[4] = {12, 12, 6, 6};
#else
#define WIDTHS_TILES(p) ROWS12(1, p) ROWS6(2, p)
#define WIDTHS_NAMES(p) {{NAMES12(1, p)}, {NAMES6(2, p)}}
static const int K(row_limit)[2] = {12, 6};
#endif

// Whole vectors; partial last vectors.
WIDTHS_TILES(1)
#if LANES == 16
// A masked load costs nothing here, so one set of tiles serves both.
static const K(tile_function) K(tiles)[2][NV_MAX][12] = {WIDTHS_NAMES(1), WIDTHS_NAMES(1)};
#else
WIDTHS_TILES(0)
static const K(tile_function) K(tiles)[2][NV_MAX][12] = {WIDTHS_NAMES(0), WIDTHS_NAMES(1)};
#endif

// All row blocks of one column block of nv vectors.
INLINE void K(column_block)(long m, long columns, int nv, long k, const float *a, long rsa, long csa, const float *b, long ldb, float *c,
                            long ldc, const struct K(tile_ends) *ends) {
  const long tail = columns - (nv - 1) * LANES;
  const K(tile_function) *tiles = K(tiles)[tail != LANES][nv - 1];
  const long blocks = (m + K(row_limit)[nv - 1] - 1) / K(row_limit)[nv - 1];
  struct K(tile_ends) here = *ends;
  for (long block = 0, i = 0; block < blocks; block++) {
    const long rows = (m - i + (blocks - block) - 1) / (blocks - block);
    if (ends->mask) here.mask = ends->mask + i * ldc;
    tiles[rows - 1](k, a + i * rsa, rsa, csa, b, ldb, c + i * ldc, ldc, tail, &here);
    i += rows;
  }
}

// c[m][n] from unpacked a and b (b's rows contiguous), k in one go.
static void K(product)(long m, long n, long k, const float *a, long rsa, long csa, const float *b, long ldb, float *c, long ldc,
                       const struct K(tile_ends) *ends) {
  const long vectors = (n + LANES - 1) / LANES, blocks = (vectors + NV_MAX - 1) / NV_MAX;
  struct K(tile_ends) here = *ends;
  for (long block = 0, j = 0; block < blocks; block++) {
    const long left = (n - j + LANES - 1) / LANES;
    const int nv = (int)((left + (blocks - block) - 1) / (blocks - block));
    const long columns = nv * LANES < n - j ? nv * LANES : n - j;
    if (ends->bias) here.bias = ends->bias + j;
    if (ends->mask) here.mask = ends->mask + j;
    K(column_block)(m, columns, nv, k, a, rsa, csa, b + j, ldb, c + j, ldc, &here);
    j += columns;
  }
}

// As product, with k in blocks that stay in the first cache.
static void K(blocked_product)(long m, long n, long k, long block, const float *a, long rsa, long csa, const float *b, long ldb,
                               float *c, long ldc, const struct K(tile_ends) *ends) {
  struct K(tile_ends) here = *ends;
  for (long p = 0; p < k || p == 0; p += block) {
    const long some = k - p < block ? k - p : block;
    here.start = p == 0 ? ends->start : K(start_c);
    here.finish = p + some >= k ? ends->finish : K(finish_none);
    K(product)(m, n, some, a + p * csa, rsa, csa, b + p * ldb, ldb, c, ldc, &here);
  }
}


// Panels of MR_PANEL rows, k-major; short panels are packed as they are.
static void K(pack_a)(long m, long k, const float *a, long rsa, long csa, float *to) {
  for (long i = 0; i < m; i += MR_PANEL) {
    const long rows = m - i < MR_PANEL ? m - i : MR_PANEL;
    if (rsa == 1) {
      for (long p = 0; p < k; p++)
        for (long r = 0; r < rows; r++) to[p * MR_PANEL + r] = a[i + r + p * csa];
    } else for (long r = 0; r < rows; r++) {
      const float *from = a + (i + r) * rsa;
      for (long p = 0; p < k; p++) to[p * MR_PANEL + r] = from[p * csa];
    }
    to += k * MR_PANEL;
  }
}

// Panels of NR_PANEL columns, padded with zeros.
static void K(pack_b)(long n, long k, const float *b, long rsb, long csb, float *to) {
  for (long j = 0; j < n; j += NR_PANEL) {
    const long columns = n - j < NR_PANEL ? n - j : NR_PANEL;
    if (csb == 1) {
      for (long p = 0; p < k; p++) {
        memcpy(to + p * NR_PANEL, b + p * rsb + j, (size_t)columns * sizeof(float));
        if (columns < NR_PANEL) memset(to + p * NR_PANEL + columns, 0, (size_t)(NR_PANEL - columns) * sizeof(float));
      }
    } else {
      if (columns < NR_PANEL) memset(to, 0, (size_t)(k * NR_PANEL) * sizeof(float));
      K(transpose)(columns, k, b + j * csb, csb, to, NR_PANEL);
    }
    to += k * NR_PANEL;
  }
}

// The classic five loops around the tile; scratch holds one block of packed a and one of packed b.
static void K(packed_product)(long m, long n, long k, const float *a, long rsa, long csa, const float *b, long rsb, long csb, float *c,
                              long ldc, int accumulate, float *scratch) {
  float *pa = scratch, *pb = scratch + (MURMUR_MC + MR_PANEL) * MURMUR_KC;
  for (long jc = 0; jc < n; jc += MURMUR_NC) {
    const long nc = n - jc < MURMUR_NC ? n - jc : MURMUR_NC;
    for (long pc = 0; pc < k; pc += MURMUR_KC) {
      const long kc = k - pc < MURMUR_KC ? k - pc : MURMUR_KC;
      struct K(tile_ends) ends = {pc > 0 || accumulate ? K(start_c) : K(start_zero), K(finish_none), 0, 0};
      K(pack_b)(nc, kc, b + pc * rsb + jc * csb, rsb, csb, pb);
      for (long ic = 0; ic < m; ic += MURMUR_MC) {
        const long mc = m - ic < MURMUR_MC ? m - ic : MURMUR_MC;
        // Rows that are contiguous along k are read where they lie.
        const float *block = a + ic * rsa + pc * csa;
        if (csa != 1) K(pack_a)(mc, kc, block, rsa, csa, pa);
        for (long jr = 0; jr < nc; jr += NR_PANEL) {
          const long columns = nc - jr < NR_PANEL ? nc - jr : NR_PANEL;
          const int nv = (int)((columns + LANES - 1) / LANES);
          const long tail = columns - (nv - 1) * LANES;
          const K(tile_function) *tiles = K(tiles)[tail != LANES][nv - 1];
          for (long ir = 0; ir < mc; ir += MR_PANEL) {
            const long rows = mc - ir < MR_PANEL ? mc - ir : MR_PANEL;
            float *to = c + (ic + ir) * ldc + jc + jr;
            if (csa == 1) tiles[rows - 1](kc, block + ir * rsa, rsa, 1, pb + jr * kc, NR_PANEL, to, ldc, tail, &ends);
            else tiles[rows - 1](kc, pa + ir * kc, 1, MR_PANEL, pb + jr * kc, NR_PANEL, to, ldc, tail, &ends);
          }
        }
      }
    }
  }
}

static void K(gemm)(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb, float *c, long ldc,
                    int accumulate, float *scratch) {
  const long rsa = ta ? 1 : lda, csa = ta ? lda : 1;
  if (m <= 0 || n <= 0) return;
  if (murmur_gemm_small(ta, tb, m, n, k) || k <= 0) {
    const struct K(tile_ends) ends = {accumulate ? K(start_c) : K(start_zero), K(finish_none), 0, 0};
    K(product)(m, n, k > 0 ? k : 0, a, rsa, csa, b, ldb, c, ldc, &ends);
  } else {
    K(packed_product)(m, n, k, a, rsa, csa, b, tb ? 1 : ldb, tb ? ldb : 1, c, ldc, accumulate, scratch);
  }
}
