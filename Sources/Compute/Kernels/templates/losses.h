// Losses work on 16 rows side by side: column j of the rows sits in one group of lanes, so that the sum over classes runs in
// ascending order in every variant and short rows waste nothing. Long rows are walked in tiles of columns.
#define GROUP 16
#define COLUMNS 64

// tile[j][r] = z[r][first + j], rows beyond `rows` filled with zeros.
INLINE void K(take_columns)(long rows, long classes, long first, long columns, const float *z, float tile[COLUMNS][GROUP]) {
  if (rows < GROUP) memset(tile, 0, (size_t)columns * GROUP * sizeof(float));
  for (long r = 0; r < rows; r++)
    for (long j = 0; j < columns; j++) tile[j][r] = z[r * classes + first + j];
}

INLINE void K(put_columns)(long rows, long classes, long first, long columns, float *z, float tile[COLUMNS][GROUP]) {
  for (long r = 0; r < rows; r++)
    for (long j = 0; j < columns; j++) z[r * classes + first + j] = tile[j][r];
}

// Tiny probabilities become zero, so that no gradient is denormal.
#define TINY_PROBABILITY 0x1p-60f

static double K(softmax_cross_entropy)(long rows, long classes, const float *z, const int32_t *labels, float *dz, float scale) {
  float tile[COLUMNS][GROUP], largest[GROUP], total[GROUP], at[GROUP], loss[GROUP];
  double sums[4] = {0, 0, 0, 0};
  for (long row = 0; row < rows; row += GROUP) {
    const long count = rows - row < GROUP ? rows - row : GROUP;
    const float *from = z + row * classes;
    for (int r = 0; r < GROUP; r++) largest[r] = -__builtin_inff(), total[r] = 0, at[r] = 0;
    for (long r = 0; r < count; r++) at[r] = from[r * classes + labels[row + r]];
    for (long first = 0; first < classes; first += COLUMNS) {
      const long columns = classes - first < COLUMNS ? classes - first : COLUMNS;
      K(take_columns)(count, classes, first, columns, from, tile);
      for (int l = 0; l < GROUP; l += LANES) {
        V m = V_LOAD(largest + l);
        for (long j = 0; j < columns; j++) m = V_MAX(m, V_LOAD(tile[j] + l));
        V_STORE(largest + l, m);
      }
    }
    const int whole = classes <= COLUMNS;
    for (long first = 0; first < classes; first += COLUMNS) {
      const long columns = classes - first < COLUMNS ? classes - first : COLUMNS;
      if (!whole) K(take_columns)(count, classes, first, columns, from, tile);
      for (int l = 0; l < GROUP; l += LANES) {
        const V m = V_LOAD(largest + l);
        V s = V_LOAD(total + l);
        for (long j = 0; j < columns; j++) {
          const V e = K(vexp)(V_SUB(V_LOAD(tile[j] + l), m));
          V_STORE(tile[j] + l, e);
          s = V_ADD(s, e);
        }
        V_STORE(total + l, s);
      }
      if (!whole && dz) K(put_columns)(count, classes, first, columns, dz + row * classes, tile);
    }
    for (int l = 0; l < GROUP; l += LANES)
      V_STORE(loss + l, V_ADD(K(vlog)(V_LOAD(total + l)), V_SUB(V_LOAD(largest + l), V_LOAD(at + l))));
    for (long r = 0; r < count; r++) sums[r & 3] += (double)loss[r];
    if (!dz) continue;
    for (long first = 0; first < classes; first += COLUMNS) {
      const long columns = classes - first < COLUMNS ? classes - first : COLUMNS;
      if (!whole) K(take_columns)(count, classes, first, columns, dz + row * classes, tile);
      for (int l = 0; l < GROUP; l += LANES) {
        const V inverse = V_DIV(V_SET(1.0f), V_LOAD(total + l)), tiny = V_SET(TINY_PROBABILITY), factor = V_SET(scale);
        for (long j = 0; j < columns; j++) {
          const V p = V_MUL(V_LOAD(tile[j] + l), inverse);
          V_STORE(tile[j] + l, V_MUL(V_SELECT(M_LT(p, tiny), V_ZERO(), p), factor));
        }
      }
      K(put_columns)(count, classes, first, columns, dz + row * classes, tile);
    }
    for (long r = 0; r < count; r++) dz[(row + r) * classes + labels[row + r]] -= scale;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static double K(mean_squared)(long rows, long width, const float *z, const float *targets, float *dz, float scale) {
  const V factor = V_SET(2.0f * scale / (float)width);
  double sum = 0;
  for (long r = 0; r < rows; r++) {
    const float *x = z + r * width, *t = targets + r * width;
    float lanes[GROUP] = {0}, d[GROUP];
    for (long i = 0; i < width; i += GROUP) {
      const long some = width - i < GROUP ? width - i : GROUP;
      float a[GROUP] = {0}, b[GROUP] = {0};
      memcpy(a, x + i, (size_t)some * sizeof(float));
      memcpy(b, t + i, (size_t)some * sizeof(float));
      for (int l = 0; l < GROUP; l += LANES) {
        const V e = V_SUB(V_LOAD(a + l), V_LOAD(b + l));
        V_STORE(lanes + l, V_FMA(e, e, V_LOAD(lanes + l)));
        V_STORE(d + l, V_MUL(e, factor));
      }
      if (dz) memcpy(dz + r * width + i, d, (size_t)some * sizeof(float));
    }
    for (int half = GROUP / 2; half > 0; half /= 2)
      for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    sum += (double)(lanes[0] / (float)width);
  }
  return sum;
}

static long K(correct)(long rows, long classes, const float *z, const int32_t *labels) {
  long right = 0;
  for (long r = 0; r < rows; r++) {
    const float *x = z + r * classes;
    long best = 0;
    for (long j = 1; j < classes; j++)
      if (x[j] > x[best]) best = j;
    right += best == labels[r];
  }
  return right;
}

static void K(gather)(long count, long width, const float *src, const int32_t *rows, float *dst) {
  for (long r = 0; r < count; r++) {
    const float *from = src + (long)rows[r] * width;
    float *to = dst + r * width;
    long i = 0;
    for (; i + LANES <= width; i += LANES) V_STORE(to + i, V_LOAD(from + i));
    if (i < width) V_STOREN(to + i, V_LOADN(from + i, width - i), width - i);
  }
}

static void K(mask_rows)(long rows, long width, const float *src, long lds, const uint64_t *mask, float *dst, long ldd) {
  for (long r = 0; r < rows; r++) {
    const float *from = src + r * lds;
    float *to = dst + r * ldd;
    if (!mask || mask[r >> 6] >> (r & 63) & 1) memcpy(to, from, (size_t)width * sizeof(float));
    else memset(to, 0, (size_t)width * sizeof(float));
  }
}
