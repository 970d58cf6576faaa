#if defined(__x86_64__)
#define VARIANT avx2
#include "templates/names.h"
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "lanes/avx2.h"
#include "templates/all.h"
#pragma clang attribute pop
#endif
