#if defined(__x86_64__)
#define VARIANT avx512
#include "templates/names.h"
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "lanes/avx512.h"
#include "templates/all.h"
#pragma clang attribute pop
#endif
