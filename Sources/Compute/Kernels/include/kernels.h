// The numeric kernels of Murmuration: one table of functions per instruction set, all tables giving the same bits.
//
// Contract, kept by every variant:
//  - an element of a matrix product is one chain of fused multiply-adds over ascending k; blocking never changes it;
//  - an output of a convolution is one chain from its bias over (plane, row, column) of the weights; an element of the weights' gradient
//    one chain over (batch row, output pixel), what is zero being skipped; one of the inputs' gradient a sum, over output pixels (of
//    pooled squares: their upper, then lower row), of chains over the output planes;
//  - a reduction over a vector uses 64 fixed lanes (element i goes to lane i mod 64) and one fixed tree at the end;
//  - multiply-adds are explicit, nothing is contracted, reassociated or approximated by an instruction that differs between processors.
// Matrices are row-major; leading dimensions are in elements. Dense weights are stored input-major, [inputs][outputs].
#ifndef MURMUR_KERNELS_H
#define MURMUR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

enum murmur_activation {
  MURMUR_NONE = 0,
  MURMUR_RELU = 1,
  MURMUR_LEAKY_RELU = 2,
  MURMUR_TANH = 3,
  MURMUR_SIGMOID = 4
};

// Constants of one Adam step; the bias corrections are already worked out by the caller.
struct murmur_adam {
  float rate;         // learning rate / (1 - beta1^t)
  float beta1;        // decay of the first moment
  float beta2;        // decay of the second moment
  float correction;   // 1 / sqrt(1 - beta2^t)
  float epsilon;      // added to the corrected root
  float decay;        // added to the gradient, times the parameter (L2); 0 for none
  float shrink;       // the parameter is multiplied by this first (AdamW: 1 - rate * decay); 1 for none
};

// A square convolution with stride 1 and zero padding, with 2 by 2 max pooling after its activation if `pooled`. Rows are plane after
// plane; weights are [outputs][channels][kernel][kernel].
struct murmur_convolution {
  long channels, height, width;  // planes that come in, and their size
  long outputs;                  // planes that go out
  long kernel, padding;
  int pooled;
  int activation;
};

struct murmur_kernels {
  const char *name;
  long lanes;

  // c[m][n] = (accumulate ? c : 0) + op(a) op(b); ta/tb say that a or b is stored transposed.
  // scratch: murmur_gemm_scratch() floats, or NULL if m, n, k are small (see murmur_gemm_small).
  void (*gemm)(int ta, int tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb, float *c, long ldc,
               int accumulate, float *_Nullable scratch);
  // dst[cols][rows] = transposed src[rows][cols]
  void (*transpose)(long rows, long cols, const float *src, long lds, float *dst, long ldd);

  // y[rows][out] = activation(x[rows][in] w[in][out] + bias[out])
  void (*dense_forward)(long rows, long in, long out, const float *x, const float *w, const float *bias, float *y, int activation);
  // dw[in][out] (+)= x' dz; db[out] (+)= column sums of dz. scratch: murmur_dense_scratch(in, out) floats.
  void (*dense_weights)(long rows, long in, long out, const float *x, const float *dz, float *dw, float *db, int accumulate,
                        float *scratch);
  // dx[rows][in] = (dz[rows][out] wt[out][in]) * activation'(x), x being the outputs of the layer before (activation MURMUR_NONE: no factor)
  void (*dense_input)(long rows, long in, long out, const float *dz, const float *wt, float *dx, const float *_Nullable x, int activation);

  // A layer whose inputs lie in parts, each a matrix x[rows][in] with its own weights; a part's rows that `mask` leaves out are not there.
  // A mask has a bit for each row, from the lowest of the first word on, and no bits beyond; none stands for all rows.
  // scratch: murmur_part_scratch(rows, in, out) floats. Part after part gives the bits of the layer over all parts side by side, with zeros
  // where a row is not there, if numbers are finite and no sum is a negative zero:
  // y[rows][out] += x w, dw[in][out] = x' dz, dx[rows][in] = dz w' (zero in the rows left out), db[out] = the column sums of dz.
  void (*part_forward)(long rows, long in, long out, const float *x, const uint64_t *_Nullable mask, const float *w, float *y,
                       float *scratch);
  void (*part_weights)(long rows, long in, long out, const float *x, const uint64_t *_Nullable mask, const float *dz, float *dw,
                       float *scratch);
  void (*part_input)(long rows, long in, long out, const float *dz, const uint64_t *_Nullable mask, const float *w, float *dx,
                     float *scratch);
  void (*part_biases)(long rows, long out, const float *dz, float *db);

  // In place y = activation(y); dz = dy * activation'(y), y being the activation's output.
  void (*activate)(long n, float *y, int activation);
  void (*activate_backward)(long n, const float *y, const float *dy, float *dz, int activation);

  // Per row: loss = -log softmax(z)[label]; dz = (softmax(z) - onehot) * scale. Returns the sum of the losses. dz may be z, or NULL.
  double (*softmax_cross_entropy)(long rows, long classes, const float *z, const int32_t *labels, float *_Nullable dz, float scale);
  // Sum over rows of the mean squared difference; dz = 2 (z - t) * scale / width. dz may be z, or NULL.
  double (*mean_squared)(long rows, long width, const float *z, const float *targets, float *_Nullable dz, float scale);
  // How many rows have their largest element (the first, if several) at the label.
  long (*correct)(long rows, long classes, const float *z, const int32_t *labels);
  // dst[i] = src[rows[i]], rows of `width` floats.
  void (*gather)(long count, long width, const float *src, const int32_t *rows, float *dst);
  // dst[r][i] = src[r][i] where the mask has row r, and 0 elsewhere; all of src if there is no mask.
  void (*mask_rows)(long rows, long width, const float *src, long lds, const uint64_t *_Nullable mask, float *dst, long ldd);

  void (*axpy)(long n, float a, const float *x, float *y);                 // y += a x
  void (*scale)(long n, float a, float *y);                                // y *= a
  void (*add)(long n, const float *x, float *y);                           // y += x
  void (*subtract)(long n, const float *x, float *y);                      // y -= x
  void (*multiply)(long n, const float *x, float *y);                      // y *= x
  void (*lerp)(long n, float t, const float *x, float *y);                 // y += t (x - y)
  void (*affine)(long n, float a, float b, float *y);                      // y = a y + b
  void (*mean)(long n, long count, const float *const _Nonnull *_Nonnull xs, const float *weights, float *y);  // y = sum of weights[i] xs[i]
  void (*trimmed_mean)(long n, long count, long trim, const float *const _Nonnull *_Nonnull xs, float *y);     // count <= 64
  void (*median)(long n, long count, const float *const _Nonnull *_Nonnull xs, float *y);                      // count <= 64

  float (*sum)(long n, const float *x);
  float (*dot)(long n, const float *x, const float *y);
  float (*squared_norm)(long n, const float *x);
  float (*squared_distance)(long n, const float *x, const float *y);
  float (*squared_deviation)(long n, float center, const float *x);        // sum of (x - center)^2
  float (*max_abs)(long n, const float *x);                                // NaN elements count as nothing
  float (*max_abs_difference)(long n, const float *x, const float *y);
  int (*is_finite)(long n, const float *x);

  // v = momentum v + (g + decay p); p -= rate v
  void (*sgd)(long n, float rate, float momentum, float decay, float *p, const float *g, float *v);
  void (*adam)(long n, const struct murmur_adam *constants, float *p, const float *g, float *m, float *v);

  // Elementary functions over a vector, for tests and for whoever needs them.
  void (*exp)(long n, const float *x, float *y);
  void (*log)(long n, const float *x, float *y);

  // y[rows] = pool(activation(x[rows] * w + bias)). kept: murmur_convolution_kept() floats, for the way back; scratch:
  // murmur_convolution_scratch() floats.
  void (*convolution_forward)(const struct murmur_convolution *shape, long rows, const float *x, const float *w, const float *bias,
                              float *y, float *kept, float *scratch);
  // dw, db (+)= the gradients of weights and biases; dx[rows], unless null, that of the inputs. dy is the gradient by the weighted sums,
  // or, if pooled, by the pooled outputs y. turned: the weights as convolution_turn leaves them.
  void (*convolution_backward)(const struct murmur_convolution *shape, long rows, const float *y, const float *dy, const float *kept,
                               const float *_Nullable turned, float *dw, float *db, int accumulate, float *_Nullable dx,
                               float *scratch);
  // Rearranges weights into murmur_convolution_turned() floats, once per optimiser step.
  void (*convolution_turn)(const struct murmur_convolution *shape, const float *w, float *turned);
};

// The variants this build knows, best first; a variant may be known but not supported by this processor.
long murmur_variant_count(void);
const char *murmur_variant_name(long index);
// NULL if the name is unknown or the processor lacks the instructions.
const struct murmur_kernels *_Nullable murmur_variant(const char *name);
// The variant forced by MURMUR_KERNELS, else the best supported one; NULL if the forced one is unknown or unsupported.
const struct murmur_kernels *_Nullable murmur_selected(void);
// What MURMUR_KERNELS holds, or NULL.
const char *_Nullable murmur_forced_name(void);

// Keeps freed memory for the next use instead of giving it back to the system, where the C library can be told so (glibc): a
// simulation takes and frees model-sized pieces all the time, and every page that comes back from the system has to be cleared first.
// Threads keep 32 MiB of freed vectors each at most instead of 4.
void murmur_keep_freed_memory(void);

// The same for a peer on a network, which takes and frees pieces of the size of an encrypted record and is to stay small: keeps 16 MiB
// at most.
void murmur_keep_record_memory(void);

// The opposite, for a feeder on a small machine: keeps a quarter of a megabyte, and takes memory for all threads from one place.
void murmur_keep_little_memory(void);

// Gives the system back what the C library keeps of freed memory, as after the rows were read.
void murmur_return_memory(void);

// Memory for `bytes` bytes, aligned to 64, not cleared; and back again, with the same size. Each thread keeps some of what it freed, and a
// thread that ends says so, or that is lost.
void *_Nonnull murmur_allocate(size_t bytes);
void murmur_release(void *_Nonnull memory, size_t bytes);
void murmur_forget_freed_memory(void);
// Memory that is wanted soon, wherever the pointers point; nothing is read. A processor takes a few dozen requests at a time and stands
// still at one more. murmur_fetch requests `bytes` bytes at once. murmur_ask puts some of up to 64 units of `unit` bytes on this thread's
// list, those whose bits are set, and murmur_fetch_asked requests about so many cache lines of the list, between other work.
// murmur_age_asked requests what was put there before it was called last: it is wanted by now.
void murmur_fetch(const void *_Nullable memory, size_t bytes);
void murmur_ask(const void *_Nullable memory, size_t unit, uint64_t units);
void murmur_fetch_asked(long lines);
void murmur_age_asked(void);
// Bytes of freed vectors that this thread keeps.
size_t murmur_kept_memory(void);

// Floats of scratch that gemm needs at most, and whether it needs none.
long murmur_gemm_scratch(void);
int murmur_gemm_small(int ta, int tb, long m, long n, long k);
// Floats of scratch that dense_weights needs.
long murmur_dense_scratch(long in, long out);
// Floats of scratch that the functions of parts need.
long murmur_part_scratch(long rows, long in, long out);
// Floats that convolutions keep from forward to backward, need as scratch, and need for turned weights.
long murmur_convolution_kept(const struct murmur_convolution *shape, long rows);
long murmur_convolution_scratch(const struct murmur_convolution *shape);
long murmur_convolution_turned(const struct murmur_convolution *shape);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
#endif
