#ifndef MURMUR_PEAK_H
#define MURMUR_PEAK_H
// Billions of floating-point operations a second that independent fused multiply-adds in registers reach: the core's limit.
double murmur_peak(void);
// CPU seconds of this thread.
double murmur_thread_seconds(void);
// How often memory was handed out so far; 0 always where the C library is not glibc.
long murmur_allocations(void);
#endif
