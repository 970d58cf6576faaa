// How much memory convolutions take.
#include "templates/convolution_shape.h"

long murmur_convolution_kept(const struct murmur_convolution *convolution, long rows) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  return rows * (s.picture + murmur_kept_places(convolution, &s));
}

long murmur_convolution_turned(const struct murmur_convolution *convolution) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  return convolution->pooled ? 2 * s.turned : s.turned;
}

long murmur_convolution_scratch(const struct murmur_convolution *convolution) {
  const struct murmur_shape s = murmur_shape_of(convolution);
  // Forward: planes, outputs and places of 16 rows side by side.
  const long forward = 16 * (convolution->channels * s.high * s.wide + 2 * s.outputs);
  // Backward: the gradient of the weights in pictures' order, that of a picture, that by the weighted sums, and lists of what is not zero.
  const long weights = convolution->outputs * convolution->kernel * s.stride, outputs = murmur_rounded(s.outputs);
  const long lists = 3 * murmur_rounded(s.group * s.sites + 16) + 5 * murmur_rounded(convolution->outputs + 16);
  const long backward = weights + s.picture + (s.group + 2) * outputs + lists;
  return forward > backward ? forward : backward;
}
