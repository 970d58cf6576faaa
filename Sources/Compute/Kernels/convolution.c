// How much memory convolutions take.
#include "templates/convolution_shape.h"

long murmur_convolution_kept(const struct murmur_convolution *convolution, long rows) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  return rows * (s.picture + murmur_kept_places(convolution, &s));
}

long murmur_convolution_turned(const struct murmur_convolution *convolution) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  return convolution->outputs * convolution->kernel * s.stride;
}

long murmur_convolution_scratch(const struct murmur_convolution *convolution) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  // Forward: planes, outputs and places of 16 rows side by side.
  const long forward = 16 * (convolution->channels * s.high * s.wide + 2 * s.outputs);
  // Backward: the gradient of the weights in pictures' order, that of a picture, and lists of what is not zero.
  const long lists = 3 * murmur_rounded(s.outputs) + 3 * murmur_rounded(s.sites + 16) + 9 * murmur_rounded(convolution->outputs + 16);
  const long backward = murmur_convolution_turned(convolution) + s.picture + lists;
  return forward > backward ? forward : backward;
}
