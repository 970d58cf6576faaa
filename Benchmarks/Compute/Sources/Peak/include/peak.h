#ifndef MURMUR_PEAK_H
#define MURMUR_PEAK_H
// Billions of floating-point operations a second that independent fused multiply-adds in registers reach: the core's limit.
double murmur_peak(void);
// CPU seconds of this thread.
double murmur_thread_seconds(void);
#endif
