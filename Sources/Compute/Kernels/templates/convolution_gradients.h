// Gradients of a convolution, row by row. Max pooling and relu leave most of the gradient by the weighted sums zero, so that only
// what is not zero is walked: each such number adds a multiple of a patch of the picture to the weights' gradient, and a multiple of
// the weights to a patch of the inputs'. The lanes run along (column, plane) of a patch's row, side by side in a picture.
//
// An element of the weights' gradient is one chain over (row, site); one of the inputs' gradient is a sum over sites of chains over
// output planes.

#if LANES == 16
// The lanes of a mask, put together at the front.
#define V_PACK(m, v) _mm512_maskz_compress_ps(m, v)
#define M_SAME(a, b) _mm512_cmpeq_epi32_mask(a, b)
#define M_COUNT(m) __builtin_popcount(m)
// Patches begin anywhere: shorter vectors cross fewer cache lines, and waste less of a short row.
#define P_LANES 8
#define P __m256
#define P_LOAD(p) _mm256_loadu_ps(p)
#define P_STORE(p, v) _mm256_storeu_ps(p, v)
#define P_SET(x) _mm256_set1_ps(x)
#define P_ZERO() _mm256_setzero_ps()
#define P_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define P_ADD(a, b) _mm256_add_ps(a, b)
#define P_AND(a, b) _mm256_and_ps(a, b)
#else
#define P_LANES LANES
#define P V
#define P_LOAD(p) V_LOAD(p)
#define P_STORE(p, v) V_STORE(p, v)
#define P_SET(x) V_SET(x)
#define P_ZERO() V_ZERO()
#define P_FMA(a, b, c) V_FMA(a, b, c)
#define P_ADD(a, b) V_ADD(a, b)
#define P_AND(a, b) V_OF(I_AND(I_OF(a), I_OF(b)))
#endif

#if LANES == 16 || defined(__aarch64__)
#define VECTORS_MAX 5
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
  P sums[5][VECTORS_MAX];
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++)
    sums[r][j] = carry ? P_LOAD(p->to + r * p->to_stride + j * P_LANES) : P_ZERO();
  P sum = carry && p->sum ? P_SET(*p->sum) : P_ZERO();
  const float *at = p->at, *d = p->d, *from = p->from;
  float *const into = p->to;
  const long stride = p->from_stride, into_stride = p->to_stride;
  const P mask = P_LOAD((const float *)(const void *)p->mask);
  for (long i = 0; i < p->count; i++) {
    const P factor = P_SET(d[i]);
    const float *here = from + K(integer)(at + i);
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++)
      sums[r][j] = P_FMA(factor, P_LOAD(here + r * stride + j * P_LANES), sums[r][j]);
    if (carry) sum = P_ADD(sum, factor);
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < vectors; j++) {
    float *to = into + r * into_stride + j * P_LANES;
    if (carry) {
      P_STORE(to, sums[r][j]);
    } else {
      P add = sums[r][j];
      if (j == vectors - 1) add = P_AND(add, mask);
      P_STORE(to, P_ADD(P_LOAD(to), add));
    }
  }
  if (carry && p->sum) {
    float sums_of_lanes[P_LANES];
    P_STORE(sums_of_lanes, sum);
    *p->sum = sums_of_lanes[0];
  }
}

typedef void (*K(patcher))(const struct K(patch) *p);
#define PATCH(rows, vectors, carry) \
  static void K(patch_##rows##_##vectors##_##carry)(const struct K(patch) *p) { K(patch)(rows, vectors, carry, p); }
#define PATCHES(vectors, carry) PATCH(1, vectors, carry) PATCH(2, vectors, carry) PATCH(3, vectors, carry) PATCH(4, vectors, carry) PATCH(5, vectors, carry)
#define PATCHERS(vectors, carry)                                                                                        \
  {K(patch_1_##vectors##_##carry), K(patch_2_##vectors##_##carry), K(patch_3_##vectors##_##carry),                      \
   K(patch_4_##vectors##_##carry), K(patch_5_##vectors##_##carry)}
#if VECTORS_MAX == 5
PATCHES(1, 0) PATCHES(2, 0) PATCHES(3, 0) PATCHES(4, 0) PATCHES(5, 0)
PATCHES(1, 1) PATCHES(2, 1) PATCHES(3, 1) PATCHES(4, 1) PATCHES(5, 1)
static const K(patcher) K(patchers)[2][VECTORS_MAX][5] = {
    {PATCHERS(1, 0), PATCHERS(2, 0), PATCHERS(3, 0), PATCHERS(4, 0), PATCHERS(5, 0)},
    {PATCHERS(1, 1), PATCHERS(2, 1), PATCHERS(3, 1), PATCHERS(4, 1), PATCHERS(5, 1)}};
#else
PATCHES(1, 0) PATCHES(2, 0) PATCHES(1, 1) PATCHES(2, 1)
static const K(patcher) K(patchers)[2][VECTORS_MAX][5] = {{PATCHERS(1, 0), PATCHERS(2, 0)}, {PATCHERS(1, 1), PATCHERS(2, 1)}};
#endif

static const int32_t K(patch_mask)[2 * P_LANES] = {
    [0 ... P_LANES - 1] = -1,
};

// A whole patch of `side` rows of `line` floats, in pieces that fit the registers.
static void K(whole_patch)(int carry, long side, long line, struct K(patch) p) {
  const long vectors = (line + P_LANES - 1) / P_LANES;
  const float *from = p.from;
  float *to = p.to;
  for (long j = 0; j < vectors; j += VECTORS_MAX) {
    const long wide = vectors - j < VECTORS_MAX ? vectors - j : VECTORS_MAX;
    p.mask = K(patch_mask) + (j + wide == vectors ? vectors * P_LANES - line : 0);
    for (long u = 0; u < side; u += 5) {
      const long high = side - u < 5 ? side - u : 5;
      p.from = from + u * p.from_stride + j * P_LANES;
      p.to = to + u * p.to_stride + j * P_LANES;
      K(patchers)[carry][wide - 1][high - 1](&p);
      p.sum = 0;
    }
  }
}

// Lists what is not zero among d[n], with its places counted from `base`; both lists have room for a vector more.
static long K(list)(long n, const float *d, const float *places, int32_t base, float *list_d, float *list_places) {
  long count = 0;
#ifdef V_PACK
  for (long i = 0; i < n; i += LANES) {
    const long some = n - i < LANES ? n - i : LANES;
    const V v = V_LOADN(d + i, some);
    const M full = (M)~M_EQ(v, V_ZERO());
    V_STORE(list_d + count, V_PACK(full, v));
    V_STORE(list_places + count, V_PACK(full, V_OF(I_ADD(I_OF(V_LOADN(places + i, some)), I_SET(base)))));
    count += M_COUNT(full);
  }
#else
  for (long i = 0; i < n; i++) {
    list_d[count] = d[i];
    K(put_integer)(list_places + count, K(integer)(places + i) + base);
    count += d[i] != 0;
  }
#endif
  return count;
}

// Lists which output planes have a gradient in the upper and in the lower row of a pooled site: d[planes] and places[planes], `first`
// being the place of the site's first pixel; numbers[planes] is what is listed of a plane, plus `further` if its gradient is on the right.
// Each list has `room` floats, a vector more than it needs.
static void K(list_planes)(long planes, const float *d, const float *places, const float *numbers, int32_t first, int32_t right,
                           int32_t down, int32_t further, long room, float *list_d, float *list_numbers, long *counts) {
  counts[0] = counts[1] = 0;
#ifdef V_PACK
  for (long c = 0; c < planes; c += LANES) {
    const long some = planes - c < LANES ? planes - c : LANES;
    const V v = V_LOADN(d + c, some);
    const I number = I_OF(V_LOADN(numbers + c, some)), place = I_OF(V_LOADN(places + c, some));
    const M full = (M)~M_EQ(v, V_ZERO()), left = M_SAME(place, I_SET(first)), lower_left = M_SAME(place, I_SET(first + down));
    const M upper = full & (left | M_SAME(place, I_SET(first + right))), lower = full & (M)~upper;
    const V moved = V_SELECT((M)(left | lower_left), V_OF(number), V_OF(I_ADD(number, I_SET(further))));
    V_STORE(list_d + counts[0], V_PACK(upper, v));
    V_STORE(list_numbers + counts[0], V_PACK(upper, moved));
    counts[0] += M_COUNT(upper);
    V_STORE(list_d + room + counts[1], V_PACK(lower, v));
    V_STORE(list_numbers + room + counts[1], V_PACK(lower, moved));
    counts[1] += M_COUNT(lower);
  }
#else
  for (long c = 0; c < planes; c++) {
    const int32_t place = K(integer)(places + c) - first;
    const int lower = place >= down, at_right = place == right || place == down + right;
    list_d[lower * room + counts[lower]] = d[c];
    K(put_integer)(list_numbers + lower * room + counts[lower], K(integer)(numbers + c) + (at_right ? further : 0));
    counts[lower] += d[c] != 0;
  }
#endif
}

// turned[output plane][row][(column, plane)] from w[output plane][plane][row][column], with `lead` zeros before and more behind.
static void K(turn)(const struct murmur_convolution *c, long taps, long stride, long lead, const float *w, float *turned) {
  const long side = c->kernel;
  memset(turned, 0, (size_t)(c->outputs * side * stride) * sizeof(float));
  for (long o = 0; o < c->outputs; o++)
    for (long plane = 0; plane < c->channels; plane++)
      for (long u = 0; u < side; u++)
        for (long v = 0; v < side; v++)
          turned[(o * side + u) * stride + lead + v * c->channels + plane] = w[o * taps + (plane * side + u) * side + v];
}

static void K(convolution_turn)(const struct murmur_convolution *c, const float *w, float *turned) {
  const struct murmur_shape s = murmur_shape_of(c);
  K(turn)(c, s.taps, s.turned_stride, 0, w, turned);
  if (c->pooled) K(turn)(c, s.taps, s.turned_stride, c->channels, w, turned + s.turned);
}

static void K(turn_back)(const struct murmur_convolution *c, long taps, long stride, const float *turned, float *w) {
  const long side = c->kernel;
  for (long o = 0; o < c->outputs; o++)
    for (long plane = 0; plane < c->channels; plane++)
      for (long u = 0; u < side; u++)
        for (long v = 0; v < side; v++)
          w[o * taps + (plane * side + u) * side + v] = turned[(o * side + u) * stride + v * c->channels + plane];
}

// The gradient by one row's inputs, as a picture: d and places are [output plane][site]; `room` is scratch. The chains of a pooled
// site's upper, then lower row run over the output planes, left and right together: what is right reads the weights that are
// a pixel further right.
static void K(picture_gradient)(const struct murmur_convolution *c, const struct murmur_shape *s, const float *d, const float *places,
                                const float *turned, float *picture, float *room) {
  const long width = murmur_rounded(c->outputs + 16), step = c->pooled ? 2 : 1;
  float *d_of_site = room, *places_of_site = d_of_site + murmur_rounded(s->outputs);
  float *numbers = places_of_site + murmur_rounded(s->outputs), *list_d = numbers + width, *list_numbers = list_d + 2 * width;
  struct K(patch) p = {.from = turned, .from_stride = s->turned_stride, .to_stride = s->span};
  memset(picture, 0, (size_t)s->picture * sizeof(float));
  for (long o = 0; o < c->outputs; o++) K(put_integer)(numbers + o, (int32_t)(o * c->kernel * s->turned_stride));
  K(transpose)(c->outputs, s->sites, d, s->sites, d_of_site, c->outputs);
  if (c->pooled) K(transpose)(c->outputs, s->sites, places, s->sites, places_of_site, c->outputs);
  for (long i = 0; i < s->rows; i++) {
    for (long j = 0; j < s->columns; j++) {
      const long site = (i * s->columns + j) * c->outputs, first = step * (i * s->span + j * c->channels);
      long counts[2] = {0, 0};
      if (c->pooled) {
        K(list_planes)(c->outputs, d_of_site + site, places_of_site + site, numbers, (int32_t)first, (int32_t)c->channels,
                       (int32_t)s->span, (int32_t)s->turned, width, list_d, list_numbers, counts);
      } else {
        counts[0] = K(list)(c->outputs, d_of_site + site, numbers, 0, list_d, list_numbers);
      }
      for (int q = 0; q < 2; q++) {
        if (counts[q] == 0) continue;
        p.count = counts[q];
        p.d = list_d + q * width;
        p.at = list_numbers + q * width;
        p.to = picture + first + q * s->span;
        K(whole_patch)(0, c->kernel, s->turned_line, p);
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
  const long step = c->kernel * s.stride, listed = murmur_rounded(s.group * s.sites + 16), places_of_row = murmur_kept_places(c, &s);
  float *gradient = scratch, *picture = gradient + c->outputs * step, *masked = picture + s.picture;
  float *list_d = masked + s.group * murmur_rounded(s.outputs), *list_places = list_d + listed;
  float *fixed = list_places + listed, *room = fixed + listed;
  if (accumulate) {
    K(turn)(c, s.taps, s.stride, 0, dw, gradient);
  } else {
    memset(gradient, 0, (size_t)(c->outputs * step) * sizeof(float));
    memset(db, 0, (size_t)c->outputs * sizeof(float));
  }
  if (!c->pooled)
    for (long i = 0; i < s.rows; i++)
      for (long j = 0; j < s.columns; j++) K(put_integer)(fixed + i * s.columns + j, (int32_t)(i * s.span + j * c->channels));
  for (long r = 0; r < rows; r += s.group) {
    const long some = rows - r < s.group ? rows - r : s.group;
    const float *places = kept + rows * s.picture + r * places_of_row, *d = dy + r * s.outputs;
    if (c->pooled) {
      K(activate_backward)(some * s.outputs, y + r * s.outputs, d, masked, c->activation);
      d = masked;
    }
    struct K(patch) p = {.at = list_places, .d = list_d, .from = kept + r * s.picture, .from_stride = s.span, .to_stride = s.stride};
    for (long o = 0; o < c->outputs; o++) {
      p.count = 0;
      for (long q = 0; q < some; q++)
        p.count += K(list)(s.sites, d + q * s.outputs + o * s.sites, c->pooled ? places + q * places_of_row + o * s.sites : fixed,
                           (int32_t)(q * s.picture), list_d + p.count, list_places + p.count);
      p.to = gradient + o * step;
      p.sum = db + o;
      K(whole_patch)(1, c->kernel, s.line, p);
    }
    for (long q = 0; q < some && dx; q++) {
      K(picture_gradient)(c, &s, d + q * s.outputs, places + q * places_of_row, turned, picture, room);
      K(picture_to_row)(c, &s, picture, dx + (r + q) * s.inputs);
    }
  }
  K(turn_back)(c, s.taps, s.stride, gradient, dw);
}
