#if defined(__aarch64__)
#define VARIANT neon
#include "templates/names.h"
#include "lanes/neon.h"
#include "templates/all.h"
#endif
