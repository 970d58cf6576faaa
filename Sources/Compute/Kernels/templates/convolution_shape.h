// Sizes that follow from a convolution's description; shared by all variants and by the functions that say how much memory it takes.
#ifndef MURMUR_CONVOLUTION_SHAPE_H
#define MURMUR_CONVOLUTION_SHAPE_H
#include "../include/kernels.h"

struct murmur_shape {
  long high, wide;      // a plane that comes in, with its border of zeros
  long rows, columns;   // a plane that goes out: after the pooling, if there is one
  long sites;           // rows * columns
  long inputs, outputs; // floats of a row that comes in, that goes out
  long square, taps;    // weights of one plane, of one output plane
  long span;            // floats between two rows of a picture, which holds all planes of a pixel side by side
  long line, stride;    // floats a row of weights takes beside such a row; the same, rounded up
  // Turned weights, for the gradient of the inputs: as they are and, if pooled, once more a pixel further right.
  long turned_line;     // floats of a row that are read
  long turned_stride;   // floats between two rows
  long turned;          // floats of all of them
  long picture;         // floats of a picture, with room to read a vector past its end
  long group;           // rows whose gradients are listed together, so that lists are not too short
};

static inline long murmur_rounded(long count) { return (count + 15) & ~15L; }

static inline struct murmur_shape murmur_shape_of(const struct murmur_convolution *c) {
  struct murmur_shape s;
  s.high = c->height + 2 * c->padding;
  s.wide = c->width + 2 * c->padding;
  s.rows = s.high - c->kernel + 1;
  s.columns = s.wide - c->kernel + 1;
  if (c->pooled) s.rows /= 2, s.columns /= 2;
  s.sites = s.rows * s.columns;
  s.inputs = c->channels * c->height * c->width;
  s.outputs = c->outputs * s.sites;
  s.square = c->kernel * c->kernel;
  s.taps = c->channels * s.square;
  s.span = s.wide * c->channels;
  s.line = c->kernel * c->channels;
  s.stride = murmur_rounded(s.line);
  s.turned_line = s.line + (c->pooled ? c->channels : 0);
  s.turned_stride = (s.turned_line + 7) & ~7L;
  s.turned = c->outputs * c->kernel * s.turned_stride;
  s.group = (s.sites + 63) / (s.sites > 0 ? s.sites : 1);
  s.picture = murmur_rounded(s.high * s.span + 16);
  return s;
}

// What a row keeps from forward to backward: its picture, then where each output comes from in it (pooled only).
static inline long murmur_kept_places(const struct murmur_convolution *c, const struct murmur_shape *s) {
  return c->pooled ? murmur_rounded(s->outputs) : 0;
}
#endif
