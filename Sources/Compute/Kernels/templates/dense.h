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

static void K(dense_forward)(long rows, long in, long out, const float *x, const float *w, const float *bias, float *y, int activation) {
  const struct K(tile_ends) ends = {
      K(start_bias), activation == MURMUR_RELU ? K(finish_relu) : activation == MURMUR_LEAKY_RELU ? K(finish_leaky) : K(finish_none),
      bias, 0};
  K(blocked_product)(rows, out, in, 256, x, in, 1, w, out, y, out, &ends);
  if (activation == MURMUR_TANH || activation == MURMUR_SIGMOID) K(activate)(rows * out, y, activation);
}

// db[out] (+)= the sums of dz's columns, rows in ascending order.
static void K(column_sums)(long rows, long out, const float *dz, float *db, int accumulate) {
  for (long j = 0; j < out; j += LANES) {
    const long some = out - j < LANES ? out - j : LANES;
    if (some == LANES) {
      V s = accumulate ? V_LOAD(db + j) : V_ZERO();
      for (long r = 0; r < rows; r++) s = V_ADD(s, V_LOAD(dz + r * out + j));
      V_STORE(db + j, s);
    } else {
      V s = accumulate ? V_LOADN(db + j, some) : V_ZERO();
      for (long r = 0; r < rows; r++) s = V_ADD(s, V_LOADN(dz + r * out + j, some));
      V_STOREN(db + j, s, some);
    }
  }
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
