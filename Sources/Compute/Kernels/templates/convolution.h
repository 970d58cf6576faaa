// Convolution with stride 1, bias, activation and, if wanted, 2 by 2 max pooling in one go.
//
// Going forward the lanes are rows of the batch: every step is vertical, whatever the numbers of planes and columns, and an output is one
// chain of fused multiply-adds from its bias over (input plane, row, column of the weights). Each block works on four neighbouring outputs
// (a square to pool, or four columns) of several output planes.

#if LANES == 16 || defined(__aarch64__)
#define PLANES_MAX 6
#else
#define PLANES_MAX 3
#endif

// Where the weights' side is known the loop over it is unrolled; where it is not, that is no failure.
#pragma clang diagnostic ignored "-Wpass-failed"
#define UNROLL_SOME _Pragma("clang loop unroll(enable)")

// One block of work.
struct K(block) {
  const float *x;     // the first input of the first output: [plane][high][wide][LANES]
  const float *w;     // the first output plane's weights
  const float *bias;  // the first output plane's bias
  long right, down;   // from the first of the four outputs' inputs to the second's and the third's; in floats
  long last;          // of four columns, how far right the rightmost is; in floats
  float *y;           // [output plane][site][LANES]
  float *places;      // where the largest of the square lies in the picture, laid out as y
  int32_t place, place_right, place_down;
  long count;         // of the four columns, how many there are
};

INLINE V K(activated)(V v, int activation) {
  switch (activation) {
    case MURMUR_RELU: return V_MAX(V_ZERO(), v);
    case MURMUR_LEAKY_RELU: return V_SELECT(M_LT(v, V_ZERO()), V_MUL(V_SET(LEAK), v), v);
    case MURMUR_TANH: return K(vtanh)(v);
    case MURMUR_SIGMOID: return K(vsigmoid)(v);
    default: return v;
  }
}

INLINE void K(convolve)(const int planes, const int pooled, const long side, const struct murmur_convolution *c,
                        const struct murmur_shape *s, const struct K(block) *b) {
  V sums[PLANES_MAX][4];
  UNROLL for (int p = 0; p < planes; p++) UNROLL for (int q = 0; q < 4; q++) sums[p][q] = V_SET(b->bias[p]);
  const float *w = b->w;
  const long taps = s->taps, area = s->high * s->wide * LANES, wide = s->wide * LANES, inputs = c->channels;
  const long second = pooled ? LANES : LANES < b->last ? LANES : b->last;
  const long third = pooled ? b->down : 2 * LANES < b->last ? 2 * LANES : b->last;
  const long fourth = pooled ? b->down + LANES : b->last;
  for (long plane = 0; plane < inputs; plane++) {
    for (long u = 0; u < side; u++) {
      const float *x = b->x + plane * area + u * wide;
      UNROLL_SOME for (long v = 0; v < side; v++, w++, x += LANES) {
        const V x0 = V_LOAD(x), x1 = V_LOAD(x + second), x2 = V_LOAD(x + third), x3 = V_LOAD(x + fourth);
        UNROLL for (int p = 0; p < planes; p++) {
          const V weight = V_SET(w[p * taps]);
          sums[p][0] = V_FMA(weight, x0, sums[p][0]);
          sums[p][1] = V_FMA(weight, x1, sums[p][1]);
          sums[p][2] = V_FMA(weight, x2, sums[p][2]);
          sums[p][3] = V_FMA(weight, x3, sums[p][3]);
        }
      }
    }
  }
  float *y = b->y, *places = b->places;
  const long sites = s->sites, count = b->count;
  const int activation = c->activation;
  if (pooled) {
    // The first of the largest; the activations rise, so that it may be found before them.
    const V place0 = V_OF(I_SET(b->place)), place1 = V_OF(I_SET(b->place + b->place_right));
    const V place2 = V_OF(I_SET(b->place + b->place_down)), place3 = V_OF(I_SET(b->place + b->place_down + b->place_right));
    UNROLL for (int p = 0; p < planes; p++) {
      const M right = M_LT(sums[p][0], sums[p][1]), lower_right = M_LT(sums[p][2], sums[p][3]);
      const V upper = V_SELECT(right, sums[p][1], sums[p][0]), lower = V_SELECT(lower_right, sums[p][3], sums[p][2]);
      const M down = M_LT(upper, lower);
      V_STORE(y + p * sites * LANES, K(activated)(V_SELECT(down, lower, upper), activation));
      V_STORE(places + p * sites * LANES,
              V_SELECT(down, V_SELECT(lower_right, place3, place2), V_SELECT(right, place1, place0)));
    }
  } else {
    UNROLL for (int p = 0; p < planes; p++) UNROLL for (int q = 0; q < 4; q++)
      if (q < count) V_STORE(y + (p * sites + q) * LANES, K(activated)(sums[p][q], activation));
  }
}

typedef void (*K(convolver))(const struct murmur_convolution *c, const struct murmur_shape *s, const struct K(block) *b);
#define CONVOLVE(planes, pooled)                                                                                          \
  static void K(convolve_##planes##_##pooled)(const struct murmur_convolution *c, const struct murmur_shape *s,           \
                                              const struct K(block) *b) {                                                \
    if (c->kernel == 5) K(convolve)(planes, pooled, 5, c, s, b);                                                          \
    else if (c->kernel == 3) K(convolve)(planes, pooled, 3, c, s, b);                                                     \
    else K(convolve)(planes, pooled, c->kernel, c, s, b);                                                                                 \
  }
#define CONVOLVES(pooled) CONVOLVE(1, pooled) CONVOLVE(2, pooled) CONVOLVE(3, pooled)
#define CONVOLVERS(pooled) K(convolve_1_##pooled), K(convolve_2_##pooled), K(convolve_3_##pooled)
CONVOLVES(0) CONVOLVES(1)
#if PLANES_MAX == 6
#define MORE_CONVOLVES(pooled) CONVOLVE(4, pooled) CONVOLVE(5, pooled) CONVOLVE(6, pooled)
#define MORE_CONVOLVERS(pooled) , K(convolve_4_##pooled), K(convolve_5_##pooled), K(convolve_6_##pooled)
MORE_CONVOLVES(0) MORE_CONVOLVES(1)
#else
#define MORE_CONVOLVERS(pooled)
#endif
static const K(convolver) K(convolvers)[2][PLANES_MAX] = {{CONVOLVERS(0) MORE_CONVOLVERS(0)}, {CONVOLVERS(1) MORE_CONVOLVERS(1)}};

// Turns `some` rows so that they lie side by side: to[plane][high][wide][LANES], zeros around.
static void K(rows_to_lanes)(const struct murmur_convolution *c, const struct murmur_shape *s, long some, const float *x, float *to) {
  if (some < LANES || c->padding > 0) memset(to, 0, (size_t)(c->channels * s->high * s->wide * LANES) * sizeof(float));
  if (c->padding == 0) {
    K(transpose)(some, s->inputs, x, s->inputs, to, LANES);
  } else {
    for (long plane = 0; plane < c->channels; plane++)
      for (long i = 0; i < c->height; i++)
        K(transpose)(some, c->width, x + (plane * c->height + i) * c->width, s->inputs,
                     to + ((plane * s->high + i + c->padding) * s->wide + c->padding) * LANES, LANES);
  }
}

// The pictures of `some` rows that lie side by side: [high][wide][plane] each.
static void K(lanes_to_pictures)(const struct murmur_convolution *c, const struct murmur_shape *s, long some, const float *lanes,
                                 float *pictures) {
  const long count = s->high * s->span, area = s->high * s->wide;
  long plane = 0, pixel = 0;
  V v[LANES];
  for (long e = 0; e < count; e += LANES) {
    UNROLL for (int l = 0; l < LANES; l++) {
      v[l] = e + l < count ? V_LOAD(lanes + (plane * area + pixel) * LANES) : V_ZERO();
      if (++plane == c->channels) plane = 0, pixel++;
    }
    K(transpose_block)(v);
    // A picture has room for a whole vector at its end, which must hold numbers.
    UNROLL for (int l = 0; l < LANES; l++) if (l < some) V_STORE(pictures + l * s->picture + e, v[l]);
  }
  const long done = (count + LANES - 1) / LANES * LANES;
  for (long l = 0; l < some && done < s->picture; l++)
    memset(pictures + l * s->picture + done, 0, (size_t)(s->picture - done) * sizeof(float));
}

static void K(convolve_lanes)(const struct murmur_convolution *c, const struct murmur_shape *s, const float *x, const float *w,
                              const float *bias, float *y, float *places) {
  const long blocks = (c->outputs + PLANES_MAX - 1) / PLANES_MAX, step = c->pooled ? 2 : 1, columns = c->pooled ? 1 : 4;
  struct K(block) b = {.right = LANES, .down = s->wide * LANES};
  b.place_right = (int32_t)c->channels;
  b.place_down = (int32_t)s->span;
  for (long i = 0; i < s->rows; i++) {
    for (long j = 0; j < s->columns; j += columns) {
      b.x = x + (i * step * s->wide + j * step) * LANES;
      b.count = s->columns - j < columns ? s->columns - j : columns;
      b.last = (b.count - 1) * LANES;
      b.place = (int32_t)(i * step * s->span + j * step * c->channels);
      for (long block = 0, plane = 0; block < blocks; block++) {
        const long planes = (c->outputs - plane + (blocks - block) - 1) / (blocks - block);
        b.w = w + plane * s->taps;
        b.bias = bias + plane;
        b.y = y + (plane * s->sites + i * s->columns + j) * LANES;
        b.places = places + (plane * s->sites + i * s->columns + j) * LANES;
        K(convolvers)[c->pooled != 0][planes - 1](c, s, &b);
        plane += planes;
      }
    }
  }
}

static void K(convolution_forward)(const struct murmur_convolution *c, long rows, const float *x, const float *w, const float *bias,
                                   float *y, float *kept, float *scratch) {
  const struct murmur_shape s = murmur_shape_of(c);
  float *lanes = scratch, *out = lanes + c->channels * s.high * s.wide * LANES, *places = out + s.outputs * LANES;
  float *kept_places = kept + rows * s.picture;
  const long places_of_row = murmur_kept_places(c, &s);
  for (long r = 0; r < rows; r += LANES) {
    const long some = rows - r < LANES ? rows - r : LANES;
    K(rows_to_lanes)(c, &s, some, x + r * s.inputs, lanes);
    K(lanes_to_pictures)(c, &s, some, lanes, kept + r * s.picture);
    K(convolve_lanes)(c, &s, lanes, w, bias, out, places);
    K(transpose)(s.outputs, some, out, LANES, y + r * s.outputs, s.outputs);
    if (c->pooled) K(transpose)(s.outputs, some, places, LANES, kept_places + r * places_of_row, places_of_row);
  }
}
