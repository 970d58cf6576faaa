// zlib, as the system has it: the inflate half is what the data sets need.
#ifndef MURMUR_CZLIB_SHIM_H
#define MURMUR_CZLIB_SHIM_H

#include <zlib.h>

#endif
