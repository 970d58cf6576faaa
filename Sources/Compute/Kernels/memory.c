#include "include/kernels.h"

#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)
#include <malloc.h>
#endif

// How many bytes of freed vectors a thread keeps: what a few models take, or, where many peers are simulated, theirs.
static size_t most_kept = 4 << 20;

void murmur_keep_freed_memory(void) {
  most_kept = 32 << 20;
#if defined(__linux__) && defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
#endif
}

void murmur_keep_record_memory(void) {
  most_kept = 4 << 20;
#if defined(__linux__) && defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
#endif
}

void murmur_keep_little_memory(void) {
  most_kept = 256 << 10;
#if defined(__linux__) && defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TOP_PAD, 64 << 10);
#endif
}

void murmur_return_memory(void) {
#if defined(__linux__) && defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// Freed vectors, kept by the thread that freed them for its next ones: models and batches come and go many times a cycle, all of a few
// sizes, and a general allocator takes a microsecond to find an aligned place for each. Those of a size hang on a string, the beginning
// of each holding where the next one is. A thread keeps no more of a size than it took itself: what one thread makes and another lets go
// would only pile up there. Short ones, which are of few sizes and come by the million where many small units learn, have a string for each.
enum { SIZES = 16, SHORT = 1 << 10 };

struct shelf {
  size_t size;
  void *first;
  // Vectors taken by this thread that it has not kept again.
  size_t room;
};

static _Thread_local struct shelf shelves[SIZES];
static _Thread_local struct shelf short_shelves[SHORT / 64];
static _Thread_local int next_shelf;
static _Thread_local size_t kept;

static void empty(struct shelf *shelf) {
  while (shelf->first) {
    void *memory = shelf->first;
    shelf->first = *(void **)memory;
    kept -= shelf->size;
    free(memory);
  }
}

static struct shelf *shelf_for(size_t size, int make) {
  if (size < SHORT) {
    short_shelves[size / 64].size = size;
    return &short_shelves[size / 64];
  }
  for (int i = 0; i < SIZES; i++)
    if (shelves[i].size == size) return &shelves[i];
  if (!make) return NULL;
  struct shelf *shelf = &shelves[next_shelf];
  next_shelf = (next_shelf + 1) % SIZES;
  empty(shelf);
  shelf->size = size;
  shelf->room = 0;
  return shelf;
}

void murmur_forget_freed_memory(void) {
  for (int i = 0; i < SIZES; i++) {
    empty(&shelves[i]);
    shelves[i].room = 0;
  }
  for (int i = 0; i < SHORT / 64; i++) {
    empty(&short_shelves[i]);
    short_shelves[i].room = 0;
  }
}

size_t murmur_kept_memory(void) { return kept; }

void *murmur_allocate(size_t bytes) {
  size_t size = (bytes + 63) & ~(size_t)63;
  if (size <= most_kept) {
    struct shelf *shelf = shelf_for(size, 1);
    if (shelf->room < most_kept / size) shelf->room++;
    if (shelf->first) {
      void *memory = shelf->first;
      shelf->first = *(void **)memory;
      kept -= size;
      return memory;
    }
  }
  void *memory = aligned_alloc(64, size);
  if (!memory) abort();
  return memory;
}

void murmur_release(void *memory, size_t bytes) {
  size_t size = (bytes + 63) & ~(size_t)63;
  if (kept + size <= most_kept) {
    struct shelf *shelf = shelf_for(size, 0);
    if (shelf && shelf->room > 0) {
      shelf->room--;
      *(void **)memory = shelf->first;
      shelf->first = memory;
      kept += size;
      return;
    }
  }
  free(memory);
}

void murmur_fetch(const void *memory, size_t bytes) {
  const uintptr_t start = (uintptr_t)memory;
  for (uintptr_t line = start & ~(uintptr_t)63; line < start + bytes; line += 64) __builtin_prefetch((const void *)line, 0, 2);
}

// A ring, from the oldest on.
enum { ASKED = 1024 };
static _Thread_local struct { uintptr_t start; size_t unit; uint64_t units; } asked[ASKED];
static _Thread_local unsigned oldest, aged, newest;

void murmur_ask(const void *memory, size_t unit, uint64_t units) {
  if (newest - oldest == ASKED) oldest++;
  asked[newest % ASKED].start = (uintptr_t)memory;
  asked[newest % ASKED].unit = unit;
  asked[newest % ASKED].units = units;
  newest++;
}

static void fetch_until(unsigned end, long lines) {
  for (; oldest != end; oldest++) {
    const uintptr_t start = asked[oldest % ASKED].start;
    const size_t unit = asked[oldest % ASKED].unit;
    for (uint64_t left = asked[oldest % ASKED].units; left; left &= left - 1) {
      if (lines <= 0) {
        asked[oldest % ASKED].units = left;
        return;
      }
      const uintptr_t from = start + unit * (uintptr_t)__builtin_ctzll(left);
      for (uintptr_t line = from & ~(uintptr_t)63; line < from + unit; line += 64, lines--) __builtin_prefetch((const void *)line, 0, 2);
    }
  }
}

void murmur_fetch_asked(long lines) { fetch_until(newest, lines); }

void murmur_age_asked(void) {
  // Both distances are short, and stay right where the counters begin anew.
  if (newest - oldest > newest - aged) fetch_until(aged, ASKED * 64L);
  aged = newest;
}
