// Dense layers. Weights are input-major, [in][out], so that the forward product and the gradient of the weights run along rows; only
// the gradient of the inputs needs the transposed weights, which the caller keeps (they change once a step).

static void K(activate)(long n, float *y, int activation) {
  const V zero = V_ZERO(), leak = V_SET(LEAK);
  switch (activation) {
#define BODY(LOAD, STORE) STORE(y + i, V_MAX(zero, LOAD(y + i)));
    case MURMUR_RELU: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) V v = LOAD(y + i); STORE(y + i, V_SELECT(M_LT(v, zero), V_MUL(leak, v), v));
    case MURMUR_LEAKY_RELU: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) STORE(y + i, K(vtanh)(LOAD(y + i)));
    case MURMUR_TANH: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) STORE(y + i, K(vsigmoid)(LOAD(y + i)));
    case MURMUR_SIGMOID: OVER(n, BODY); break;
#undef BODY
    default: break;
  }
}

static void K(activate_backward)(long n, const float *y, const float *dy, float *dz, int activation) {
  const V zero = V_ZERO(), one = V_SET(1.0f), leak = V_SET(LEAK);
  switch (activation) {
#define BODY(LOAD, STORE) STORE(dz + i, V_SELECT(M_LT(zero, LOAD(y + i)), LOAD(dy + i), zero));
    case MURMUR_RELU: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) V d = LOAD(dy + i); STORE(dz + i, V_SELECT(M_LT(LOAD(y + i), zero), V_MUL(leak, d), d));
    case MURMUR_LEAKY_RELU: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) V v = LOAD(y + i); STORE(dz + i, V_MUL(LOAD(dy + i), V_FNMA(v, v, one)));
    case MURMUR_TANH: OVER(n, BODY); break;
#undef BODY
#define BODY(LOAD, STORE) V v = LOAD(y + i); STORE(dz + i, V_MUL(LOAD(dy + i), V_FNMA(v, v, v)));
    case MURMUR_SIGMOID: OVER(n, BODY); break;
#undef BODY
    default:
      if (dz != dy) memmove(dz, dy, (size_t)n * sizeof(float));
  }
}

// The most outputs of a layer whose rows go side by side in the lanes; with more, the outputs fill the lanes well enough.
#define FEW 8

// y = x w + bias for few outputs: LANES rows at a time, turned so that a register holds one input of all of them.
INLINE void K(few_outputs)(long rows, long in, const long out, const float *x, const float *w, const float *bias, float *y) {
  for (long r = 0; r < rows; r += LANES) {
    const long high = rows - r < LANES ? rows - r : LANES;
    V sums[FEW], v[LANES];
    UNROLL for (int o = 0; o < FEW; o++) if (o < out) sums[o] = V_SET(bias[o]);
    for (long i = 0; i < in; i += LANES) {
      const long wide = in - i < LANES ? in - i : LANES;
      const float *from = x + r * in + i;
      UNROLL for (int q = 0; q < LANES; q++) {
        if (q >= high) v[q] = V_ZERO();
        else if (wide == LANES) v[q] = V_LOAD(from + q * in);
        else v[q] = V_LOADN(from + q * in, wide);
      }
      K(transpose_block)(v);
      if (wide == LANES) {
        UNROLL for (int p = 0; p < LANES; p++)
          UNROLL for (int o = 0; o < FEW; o++)
            if (o < out) sums[o] = V_FMA(v[p], V_SET(w[(i + p) * out + o]), sums[o]);
      } else {
        UNROLL for (int p = 0; p < LANES; p++)
          if (p < wide) UNROLL for (int o = 0; o < FEW; o++) if (o < out) sums[o] = V_FMA(v[p], V_SET(w[(i + p) * out + o]), sums[o]);
      }
    }
    float turned[FEW][LANES];
    UNROLL for (int o = 0; o < FEW; o++) if (o < out) V_STORE(turned[o], sums[o]);
    for (long q = 0; q < high; q++)
      for (long o = 0; o < out; o++) y[(r + q) * out + o] = turned[o][q];
  }
}

static void K(dense_forward)(long rows, long in, long out, const float *x, const float *w, const float *bias, float *y, int activation) {
  const struct K(tile_ends) ends = {
      K(start_bias), activation == MURMUR_RELU ? K(finish_relu) : activation == MURMUR_LEAKY_RELU ? K(finish_leaky) : K(finish_none),
      bias, 0};
  if (out == 2 && rows >= LANES / 2) {
    K(few_outputs)(rows, in, 2, x, w, bias, y);
    K(activate)(rows * out, y, activation);
    return;
  }
  if (out <= FEW && LANES > 4 && rows >= LANES / 2) {
    K(few_outputs)(rows, in, out, x, w, bias, y);
    K(activate)(rows * out, y, activation);
    return;
  }
  K(blocked_product)(rows, out, in, 256, x, in, 1, w, out, y, out, &ends);
  if (activation == MURMUR_TANH || activation == MURMUR_SIGMOID) K(activate)(rows * out, y, activation);
}

// The sums of nv vectors of columns, rows in ascending order.
INLINE void K(sum_columns)(const int nv, long rows, long out, const float *dz, float *db, int accumulate, long tail) {
  V s[4];
#define LOAD_AT(p, j) ((j) == nv - 1 && tail < LANES ? V_LOADN((p) + (j) * LANES, tail) : V_LOAD((p) + (j) * LANES))
  UNROLL for (int j = 0; j < nv; j++) s[j] = accumulate ? LOAD_AT(db, j) : V_ZERO();
  for (long r = 0; r < rows; r++, dz += out) UNROLL for (int j = 0; j < nv; j++) s[j] = V_ADD(s[j], LOAD_AT(dz, j));
  UNROLL for (int j = 0; j < nv; j++) {
    if (j == nv - 1 && tail < LANES) V_STOREN(db + j * LANES, s[j], tail);
    else V_STORE(db + j * LANES, s[j]);
  }
#undef LOAD_AT
}

// db[out] (+)= the sums of dz's columns.
static void K(column_sums)(long rows, long out, const float *dz, float *db, int accumulate) {
  long j = 0;
  for (; j + 4 * LANES <= out; j += 4 * LANES) K(sum_columns)(4, rows, out, dz + j, db + j, accumulate, LANES);
  for (; j < out; j += LANES) K(sum_columns)(1, rows, out, dz + j, db + j, accumulate, out - j < LANES ? out - j : LANES);
}

static void K(dense_weights)(long rows, long in, long out, const float *x, const float *dz, float *dw, float *db, int accumulate,
                             float *scratch) {
  const struct K(tile_ends) ends = {accumulate ? K(start_c) : K(start_zero), K(finish_none), 0, 0};
  K(column_sums)(rows, out, dz, db, accumulate);
  if (out < 16 && in > out) {
    // Few outputs would leave most lanes empty: run along the inputs and transpose the small result.
    if (accumulate) K(transpose)(in, out, dw, out, scratch, in);
    K(blocked_product)(out, in, rows, 64, dz, 1, out, x, in, scratch, in, &ends);
    K(transpose)(out, in, scratch, in, dw, out);
  } else {
    K(blocked_product)(in, out, rows, 64, x, 1, in, dz, out, dw, out, &ends);
  }
}

static void K(dense_input)(long rows, long in, long out, const float *dz, const float *wt, float *dx, const float *x, int activation) {
  const struct K(tile_ends) ends = {
      K(start_zero),
      activation == MURMUR_RELU ? K(finish_relu_mask) : activation == MURMUR_LEAKY_RELU ? K(finish_leaky_mask) : K(finish_none), 0,
      activation == MURMUR_RELU || activation == MURMUR_LEAKY_RELU ? x : 0};
  K(blocked_product)(rows, in, out, 256, dz, out, 1, wt, in, dx, in, &ends);
  if (activation == MURMUR_TANH || activation == MURMUR_SIGMOID) K(activate_backward)(rows * in, x, dx, dx, activation);
}
