// Gradients of a convolution, row by row. Max pooling and relu leave most of the gradient by the weighted sums zero, so that only
// what is not zero is walked: each such number adds a multiple of a patch of the picture to the weights' gradient, and a multiple of
// the weights to a patch of the inputs'. The lanes run along (column, plane) of a patch's row, side by side in a picture.
//
// An element of the weights' gradient is one chain over (row, site); one of the inputs' gradient is a sum over sites of chains over
// output planes.

#if LANES == 16
// What the other variants do element by element: the lanes in m, put together at the front.
#define V_PACK(m, v) _mm512_maskz_compress_ps(m, v)
#define M_SAME(a, b) _mm512_cmpeq_epi32_mask(a, b)
#define M_COUNT(m) __builtin_popcount(m)
#endif

#if LANES == 16 || defined(__aarch64__)
#define VECTORS_MAX 4
#else
#define VECTORS_MAX 2
#endif

// Lists hold bits of 32-bit integers beside floats.
INLINE int32_t K(integer)(const float *p) { int32_t i; memcpy(&i, p, sizeof i); return i; }
INLINE void K(put_integer)(float *p, int32_t i) { memcpy(p, &i, sizeof i); }

struct K(patch) {
  long count;          // numbers in the list
  const float *at;     // offsets into `from`
  const float *d;      // their factors
  const float *from;   // pictures, or weights
  long from_stride;    // between two rows there
  float *to;           // weights' gradient, or a patch of the picture's
  long to_stride;      // between two rows there
  float *sum;          // if not null, receives the sum of the factors
  const int32_t *mask; // which lanes of the last vector count
};

// to[rows][vectors] += the sum over the list of d * from[at], the rows' chains beginning at `to` (carry), or being added to it.
INLINE void K(patch)(const int rows, const int vectors, const int carry, const struct K(patch) *p) {
  V sums[5][VECTORS_MAX];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++)
    sums[r][j] = carry ? V_LOAD(p->to + r * p->to_stride + j * LANES) : V_ZERO();
  V sum = carry && p->sum ? V_SET(*p->sum) : V_ZERO();
  const float *at = p->at, *d = p->d, *from = p->from;
  const long stride = p->from_stride;
  for (long i = 0; i < p->count; i++) {
    const V factor = V_SET(d[i]);
    const float *here = from + K(integer)(at + i);
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++)
      sums[r][j] = V_FMA(factor, V_LOAD(here + r * stride + j * LANES), sums[r][j]);
    if (carry) sum = V_ADD(sum, factor);
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++) {
    float *to = p->to + r * p->to_stride + j * LANES;
    if (carry) {
      V_STORE(to, sums[r][j]);
    } else {
      V add = sums[r][j];
      if (j == vectors - 1) add = V_OF(I_AND(I_OF(add), I_OF(V_LOAD((const float *)(const void *)p->mask))));
      V_STORE(to, V_ADD(V_LOAD(to), add));
    }
  }
  if (carry && p->sum) V_STOREN(p->sum, sum, 1);
}

typedef void (*K(patcher))(const struct K(patch) *p);
#define PATCH(rows, vectors, carry) \
  static void K(patch_##rows##_##vectors##_##carry)(const struct K(patch) *p) { K(patch)(rows, vectors, carry, p); }
#define PATCHES(vectors, carry) PATCH(1, vectors, carry) PATCH(2, vectors, carry) PATCH(3, vectors, carry) PATCH(4, vectors, carry) PATCH(5, vectors, carry)
#define PATCHERS(vectors, carry)                                                                                        \
  {K(patch_1_##vectors##_##carry), K(patch_2_##vectors##_##carry), K(patch_3_##vectors##_##carry),                      \
   K(patch_4_##vectors##_##carry), K(patch_5_##vectors##_##carry)}
#if VECTORS_MAX == 4
PATCHES(1, 0) PATCHES(2, 0) PATCHES(3, 0) PATCHES(4, 0) PATCHES(1, 1) PATCHES(2, 1) PATCHES(3, 1) PATCHES(4, 1)
static const K(patcher) K(patchers)[2][VECTORS_MAX][5] = {
    {PATCHERS(1, 0), PATCHERS(2, 0), PATCHERS(3, 0), PATCHERS(4, 0)}, {PATCHERS(1, 1), PATCHERS(2, 1), PATCHERS(3, 1), PATCHERS(4, 1)}};
#else
PATCHES(1, 0) PATCHES(2, 0) PATCHES(1, 1) PATCHES(2, 1)
static const K(patcher) K(patchers)[2][VECTORS_MAX][5] = {{PATCHERS(1, 0), PATCHERS(2, 0)}, {PATCHERS(1, 1), PATCHERS(2, 1)}};
#endif

static const int32_t K(patch_mask)[2 * LANES] = {
    [0 ... LANES - 1] = -1,
};

// A whole patch of `side` rows of `line` floats, in pieces that fit the registers.
static void K(whole_patch)(int carry, long side, long line, struct K(patch) p) {
  const long vectors = (line + LANES - 1) / LANES;
  const float *from = p.from;
  float *to = p.to;
  for (long j = 0; j < vectors; j += VECTORS_MAX) {
    const long wide = vectors - j < VECTORS_MAX ? vectors - j : VECTORS_MAX;
    p.mask = K(patch_mask) + (j + wide == vectors ? vectors * LANES - line : 0);
    for (long u = 0; u < side; u += 5) {
      const long high = side - u < 5 ? side - u : 5;
      p.from = from + u * p.from_stride + j * LANES;
      p.to = to + u * p.to_stride + j * LANES;
      K(patchers)[carry][wide - 1][high - 1](&p);
      p.sum = 0;
    }
  }
}

// Lists what is not zero among d[n], with its places; both lists have room for a vector more.
static long K(list)(long n, const float *d, const float *places, float *list_d, float *list_places) {
  long count = 0;
#ifdef V_PACK
  for (long i = 0; i < n; i += LANES) {
    const long some = n - i < LANES ? n - i : LANES;
    const V v = V_LOADN(d + i, some);
    const M full = (M)~M_EQ(v, V_ZERO());
    V_STORE(list_d + count, V_PACK(full, v));
    V_STORE(list_places + count, V_PACK(full, V_LOADN(places + i, some)));
    count += M_COUNT(full);
  }
#else
  for (long i = 0; i < n; i++) {
    list_d[count] = d[i];
    memcpy(list_places + count, places + i, sizeof(float));
    count += d[i] != 0;
  }
#endif
  return count;
}

// Lists which output planes have a gradient at each of the four places of a pooled site: d[planes] and places[planes]; numbers[planes]
// is what is listed of a plane. Each list has `room` floats, a vector more than it needs.
static void K(list_planes)(long planes, const float *d, const float *places, const float *numbers, const int32_t *candidates, long room,
                           float *list_d, float *list_numbers, long *counts) {
  for (int q = 0; q < 4; q++) counts[q] = 0;
#ifdef V_PACK
  for (long c = 0; c < planes; c += LANES) {
    const long some = planes - c < LANES ? planes - c : LANES;
    const V v = V_LOADN(d + c, some), number = V_LOADN(numbers + c, some);
    const M full = (M)~M_EQ(v, V_ZERO());
    const I place = I_OF(V_LOADN(places + c, some));
    UNROLL for (int q = 0; q < 4; q++) {
      const M here = full & M_SAME(place, I_SET(candidates[q]));
      V_STORE(list_d + q * room + counts[q], V_PACK(here, v));
      V_STORE(list_numbers + q * room + counts[q], V_PACK(here, number));
      counts[q] += M_COUNT(here);
    }
  }
#else
  for (long c = 0; c < planes; c++) {
    const int32_t place = K(integer)(places + c);
    const int q = 2 * (place >= candidates[2]) + (place == candidates[1] || place == candidates[3]);
    list_d[q * room + counts[q]] = d[c];
    memcpy(list_numbers + q * room + counts[q], numbers + c, sizeof(float));
    counts[q] += d[c] != 0;
  }
#endif
}

// turned[output plane][row][(column, plane)] from w[output plane][plane][row][column].
static void K(convolution_turn)(const struct murmur_convolution *c, const float *w, float *turned) {
  const struct murmur_shape s = murmur_shape_of(c);
  const long side = c->kernel;
  memset(turned, 0, (size_t)(c->outputs * side * s.stride) * sizeof(float));
  for (long o = 0; o < c->outputs; o++)
    for (long plane = 0; plane < c->channels; plane++)
      for (long u = 0; u < side; u++)
        for (long v = 0; v < side; v++)
          turned[(o * side + u) * s.stride + v * c->channels + plane] = w[o * s.taps + plane * s.square + u * side + v];
}

static void K(convolution_turn_back)(const struct murmur_convolution *c, const struct murmur_shape *s, const float *turned, float *w) {
  const long side = c->kernel;
  for (long o = 0; o < c->outputs; o++)
    for (long plane = 0; plane < c->channels; plane++)
      for (long u = 0; u < side; u++)
        for (long v = 0; v < side; v++)
          w[o * s->taps + plane * s->square + u * side + v] = turned[(o * side + u) * s->stride + v * c->channels + plane];
}

// The gradient by one row's inputs, as a picture: d and places are [output plane][site]; `room` is scratch.
static void K(picture_gradient)(const struct murmur_convolution *c, const struct murmur_shape *s, const float *d, const float *places,
                                const float *turned, float *picture, float *room) {
  const long width = murmur_rounded(c->outputs + 16);
  float *d_of_site = room, *places_of_site = d_of_site + murmur_rounded(s->outputs);
  float *numbers = places_of_site + murmur_rounded(s->outputs), *list_d = numbers + width, *list_numbers = list_d + 4 * width;
  struct K(patch) p = {.from = turned, .from_stride = s->stride, .to_stride = s->span};
  memset(picture, 0, (size_t)s->picture * sizeof(float));
  for (long o = 0; o < c->outputs; o++) K(put_integer)(numbers + o, (int32_t)(o * c->kernel * s->stride));
  K(transpose)(c->outputs, s->sites, d, s->sites, d_of_site, c->outputs);
  if (c->pooled) K(transpose)(c->outputs, s->sites, places, s->sites, places_of_site, c->outputs);
  const long step = c->pooled ? 2 : 1;
  for (long i = 0; i < s->rows; i++) {
    for (long j = 0; j < s->columns; j++) {
      const long site = (i * s->columns + j) * c->outputs;
      const int32_t right = (int32_t)c->channels, down = (int32_t)s->span, first = (int32_t)(step * (i * s->span + j * c->channels));
      const int32_t candidates[4] = {first, first + right, first + down, first + down + right};
      long counts[4] = {0};
      if (c->pooled) {
        K(list_planes)(c->outputs, d_of_site + site, places_of_site + site, numbers, candidates, width, list_d, list_numbers, counts);
      } else {
        counts[0] = K(list)(c->outputs, d_of_site + site, numbers, list_d, list_numbers);
      }
      for (int q = 0; q < 4; q++) {
        if (counts[q] == 0) continue;
        p.count = counts[q];
        p.d = list_d + q * width;
        p.at = list_numbers + q * width;
        p.to = picture + candidates[q];
        K(whole_patch)(0, c->kernel, s->line, p);
      }
    }
  }
}

// x[plane][height][width] from a picture, without its border.
static void K(picture_to_row)(const struct murmur_convolution *c, const struct murmur_shape *s, const float *picture, float *x) {
  for (long i = 0; i < c->height && c->padding > 0; i++)
    K(transpose)(c->width, c->channels, picture + (i + c->padding) * s->span + c->padding * c->channels, c->channels,
                 x + i * c->width, c->height * c->width);
  if (c->padding == 0) K(transpose)(c->height * c->width, c->channels, picture, c->channels, x, c->height * c->width);
}

static void K(convolution_backward)(const struct murmur_convolution *c, long rows, const float *y, const float *dy, const float *kept,
                                    const float *turned, float *dw, float *db, int accumulate, float *dx, float *scratch) {
  const struct murmur_shape s = murmur_shape_of(c);
  const long places_of_row = murmur_kept_places(c, &s), step = c->kernel * s.stride;
  float *gradient = scratch, *picture = gradient + c->outputs * step, *masked = picture + s.picture;
  float *list_d = masked + murmur_rounded(s.outputs), *list_places = list_d + murmur_rounded(s.sites + 16);
  float *fixed = list_places + murmur_rounded(s.sites + 16), *room = fixed + murmur_rounded(s.sites + 16);
  if (accumulate) {
    K(convolution_turn)(c, dw, gradient);
  } else {
    memset(gradient, 0, (size_t)(c->outputs * step) * sizeof(float));
    memset(db, 0, (size_t)c->outputs * sizeof(float));
  }
  if (!c->pooled)
    for (long i = 0; i < s.rows; i++)
      for (long j = 0; j < s.columns; j++) K(put_integer)(fixed + i * s.columns + j, (int32_t)(i * s.span + j * c->channels));
  for (long r = 0; r < rows; r++) {
    const float *places = kept + rows * s.picture + r * places_of_row, *d = dy + r * s.outputs;
    if (c->pooled) {
      K(activate_backward)(s.outputs, y + r * s.outputs, d, masked, c->activation);
      d = masked;
    }
    struct K(patch) p = {.at = list_places, .d = list_d, .from = kept + r * s.picture, .from_stride = s.span, .to_stride = s.stride};
    for (long o = 0; o < c->outputs; o++) {
      p.count = K(list)(s.sites, d + o * s.sites, c->pooled ? places + o * s.sites : fixed, list_d, list_places);
      p.to = gradient + o * step;
      p.sum = db + o;
      K(whole_patch)(1, c->kernel, s.line, p);
    }
    if (dx) {
      K(picture_gradient)(c, &s, d, places, turned, picture, room);
      K(picture_to_row)(c, &s, picture, dx + r * s.inputs);
    }
  }
  K(convolution_turn_back)(c, &s, gradient, dw);
}
