// Runs every kernel of one variant on fixed inputs, and a whole training run, and prints a fingerprint of each result: what two
// processors must agree on. usage: driver VARIANT
#include "../../../Sources/Compute/Kernels/include/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;
static float next(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  const float value = (float)((int64_t)(state >> 40) - (1 << 23)) * 0x1p-22f;
  return state % 11 == 0 ? 0 : state % 13 == 0 ? value * 0x1p-40f : state % 29 == 0 ? value * 0x1p-126f : value;
}
static float *fresh(long n) {
  float *x = malloc((size_t)(n + 16) * sizeof *x);
  for (long i = 0; i < n; i++) x[i] = next();
  return x;
}
static void say(const char *name, long size, const void *bytes, size_t count) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
  printf("%s %ld %016llx\n", name, size, (unsigned long long)hash);
}
#define SAY(name, n, x) say(name, n, x, (size_t)(n) * sizeof *(x))

static void vectors(const struct murmur_kernels *t, long n) {
  float *x = fresh(n), *y = fresh(n), *z = fresh(n), *p = fresh(n);
  for (long i = 0; i < n; i++) p[i] = (p[i] < 0 ? -p[i] : p[i]) + 1e-20f;
#define CHANGE(name, call) { float *out = malloc((size_t)n * sizeof *out); memcpy(out, y, (size_t)n * sizeof *out); call; SAY(name, n, out); free(out); }
  CHANGE("axpy", t->axpy(n, 0.37f, x, out))
  CHANGE("scale", t->scale(n, -1.7f, out))
  CHANGE("add", t->add(n, x, out))
  CHANGE("subtract", t->subtract(n, x, out))
  CHANGE("multiply", t->multiply(n, x, out))
  CHANGE("lerp", t->lerp(n, 0.3f, x, out))
  CHANGE("affine", t->affine(n, 1.1f, -0.2f, out))
  CHANGE("exp", t->exp(n, x, out))
  CHANGE("log", t->log(n, p, out))
  for (int activation = 0; activation <= 4; activation++) {
    CHANGE("activate", t->activate(n, out, activation))
    CHANGE("activate_backward", t->activate_backward(n, x, z, out, activation))
  }
  const float *sources[] = {x, z, p, y}, weights[] = {0.1f, 0.2f, 0.3f, 0.4f};
  CHANGE("mean", t->mean(n, 4, sources, weights, out))
  CHANGE("median", t->median(n, 3, sources, out))
  CHANGE("trimmed_mean", t->trimmed_mean(n, 4, 1, sources, out))
  const float reductions[] = {t->sum(n, x), t->dot(n, x, y), t->squared_norm(n, x), t->squared_distance(n, x, y),
                              t->squared_deviation(n, 0.3f, x), t->max_abs(n, x), t->max_abs_difference(n, x, y),
                              (float)t->is_finite(n, x)};
  SAY("reductions", 8, reductions);
  const struct murmur_adam c = {0.01f, 0.9f, 0.999f, 1.3f, 1e-8f, 0.001f, 0.999f};
  for (long i = 0; i < n; i++) p[i] = z[i] * z[i];
  for (int step = 0; step < 3; step++) t->adam(n, &c, y, x, z, p);
  SAY("adam", n, y); SAY("adam first", n, z); SAY("adam second", n, p);
  for (int step = 0; step < 3; step++) t->sgd(n, 0.01f, 0.9f, 0.001f, y, x, z);
  SAY("sgd", n, y); SAY("sgd velocity", n, z);
  free(x), free(y), free(z), free(p);
}

static void products(const struct murmur_kernels *t, long m, long n, long k) {
  float *a = fresh(m * k), *b = fresh(k * n), *c = fresh(m * n), *scratch = malloc((size_t)murmur_gemm_scratch() * sizeof *scratch);
  for (int mode = 0; mode < 8; mode++) {
    t->gemm(mode & 1, mode & 2, m, n, k, a, mode & 1 ? m : k, b, mode & 2 ? k : n, c, n, mode & 4, scratch);
    SAY("gemm", m * n, c);
  }
  free(a), free(b), free(c), free(scratch);
}

// A whole run: in-hidden-out, adam, `steps` batches.
static void training(const struct murmur_kernels *t, long rows, long in, long hidden, long out, int activation, int steps) {
  const long w1 = 0, b1 = w1 + in * hidden, w2 = b1 + hidden, b2 = w2 + hidden * out, count = b2 + out;
  float *p = fresh(count), *g = fresh(count), *m = calloc((size_t)count, sizeof *m), *v = calloc((size_t)count, sizeof *v);
  float *h = fresh(rows * hidden), *z = fresh(rows * out), *dh = fresh(rows * hidden), *turned = fresh(hidden * out);
  float *scratch = fresh(murmur_dense_scratch(in, hidden) + murmur_dense_scratch(hidden, out));
  int32_t *labels = malloc((size_t)rows * sizeof *labels);
  double losses = 0;
  for (long i = 0; i < count; i++) p[i] *= 0.2f;
  for (int step = 1; step <= steps; step++) {
    float *x = fresh(rows * in);
    for (long r = 0; r < rows; r++) labels[r] = (int32_t)((x[r * in] > 0) + (out > 2 && x[r * in + 1] > 0));
    t->dense_forward(rows, in, hidden, x, p + w1, p + b1, h, activation);
    t->dense_forward(rows, hidden, out, h, p + w2, p + b2, z, 0);
    losses += t->softmax_cross_entropy(rows, out, z, labels, z, 1.0f / (float)rows);
    t->dense_weights(rows, hidden, out, h, z, g + w2, g + b2, 0, scratch);
    t->transpose(hidden, out, p + w2, out, turned, hidden);
    t->dense_input(rows, hidden, out, z, turned, dh, h, activation);
    t->dense_weights(rows, in, hidden, x, dh, g + w1, g + b1, 0, scratch);
    const struct murmur_adam c = {0.01f, 0.9f, 0.999f, 1.0f, 1e-8f, 0, 1};
    t->adam(count, &c, p, g, m, v);
    free(x);
  }
  SAY("training", count, p);
  say("losses", rows, &losses, sizeof losses);
  fprintf(stderr, "mean loss of a run: %.4f\n", losses / (double)(rows * steps));
  free(p), free(g), free(m), free(v), free(h), free(z), free(dh), free(turned), free(scratch), free(labels);
}

static void losses(const struct murmur_kernels *t, long rows, long classes) {
  float *z = fresh(rows * classes), *targets = fresh(rows * classes), *dz = fresh(rows * classes);
  int32_t *labels = malloc((size_t)rows * sizeof *labels);
  for (long r = 0; r < rows; r++) labels[r] = (int32_t)(r * 7 % classes);
  for (long i = 0; i < rows * classes; i++) z[i] *= 9;
  const double sums[] = {t->softmax_cross_entropy(rows, classes, z, labels, dz, 0.125f), (double)t->correct(rows, classes, z, labels)};
  SAY("softmax", 2, sums);
  SAY("softmax gradient", rows * classes, dz);
  const double square = t->mean_squared(rows, classes, z, targets, dz, 0.5f);
  say("squares", rows, &square, sizeof square);
  SAY("squares gradient", rows * classes, dz);
  free(z), free(targets), free(dz), free(labels);
}

// Forward and backward of a convolution, rows in two calls.
static void convolutions(const struct murmur_kernels *t, struct murmur_convolution c, long rows) {
  const long side = 2 * c.padding - c.kernel + 1, step = c.pooled ? 2 : 1;
  const long in = c.channels * c.height * c.width, out = c.outputs * ((c.height + side) / step) * ((c.width + side) / step);
  const long weights = c.outputs * c.channels * c.kernel * c.kernel;
  float *x = fresh(rows * in), *w = fresh(weights), *bias = fresh(c.outputs), *dy = fresh(rows * out), *y = fresh(rows * out);
  float *dw = fresh(weights), *db = fresh(c.outputs), *dx = fresh(rows * in), *kept = fresh(murmur_convolution_kept(&c, rows));
  float *scratch = fresh(murmur_convolution_scratch(&c)), *turned = fresh(murmur_convolution_turned(&c));
  t->convolution_turn(&c, w, turned);
  for (int again = 0; again < 2; again++) {
    t->convolution_forward(&c, rows, x, w, bias, y, kept, scratch);
    t->convolution_backward(&c, rows, y, dy, kept, turned, dw, db, again, dx, scratch);
    rows = (rows + 1) / 2;
  }
  SAY("convolution", rows * out, y); SAY("its weights' gradient", weights, dw);
  SAY("its biases' gradient", c.outputs, db); SAY("its inputs' gradient", rows * in, dx);
  free(x), free(w), free(bias), free(dy), free(y), free(dw), free(db), free(dx), free(kept), free(scratch), free(turned);
}

int main(int count, char **arguments) {
  const struct murmur_kernels *t = count > 1 ? murmur_variant(arguments[1]) : NULL;
  if (!t) return fprintf(stderr, "usage: driver VARIANT, one this processor supports\n"), 2;
  const long counts[] = {1, 3, 16, 63, 64, 65, 200, 6147};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) vectors(t, counts[i]);
  const long shapes[][3] = {{1, 1, 1}, {5, 7, 9}, {6, 64, 28}, {13, 10, 64}, {32, 2, 64}, {97, 129, 257}, {3, 130, 300}, {64, 64, 64}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) products(t, shapes[i][0], shapes[i][1], shapes[i][2]);
  const long tables[][2] = {{1, 2}, {16, 10}, {33, 2}, {40, 63}, {18, 65}, {20, 200}};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) losses(t, tables[i][0], tables[i][1]);
  for (int activation = 0; activation <= 4; activation++) training(t, 32, 28, 64, activation % 2 ? 2 : 10, activation, 60);
  training(t, 7, 65, 33, 3, MURMUR_RELU, 40);
  const struct murmur_convolution shapes_of_planes[] = {
      {1, 28, 28, 6, 5, 2, 1, 1}, {6, 14, 14, 16, 5, 0, 1, 1}, {3, 7, 9, 5, 3, 1, 0, 3}, {3, 7, 9, 5, 3, 1, 1, 3}, {2, 5, 5, 1, 1, 0, 0, 0},
      {17, 6, 5, 33, 3, 1, 1, 2}, {5, 9, 11, 7, 7, 3, 1, 4}, {40, 4, 4, 3, 2, 0, 0, 0}, {8, 6, 6, 9, 6, 2, 1, 1}};
  for (size_t i = 0; i < sizeof shapes_of_planes / sizeof *shapes_of_planes; i++)
    for (long rows = 3; rows < 40; rows += 14) convolutions(t, shapes_of_planes[i], rows);
  return 0;
}
