#ifndef MURMUR_NAMES_H
#define MURMUR_NAMES_H
#include "../blocking.h"
#include "../include/kernels.h"
#include "convolution_shape.h"
#include <string.h>
#pragma clang diagnostic ignored "-Wunknown-pragmas"
#pragma STDC FP_CONTRACT OFF
#define PASTE_(a, b) murmur_##a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define K(name) PASTE(VARIANT, name)
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#endif
