#include "include/kernels.h"

#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)
#include <malloc.h>
#endif

void murmur_keep_freed_memory(void) {
#if defined(__linux__) && defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
#endif
}

void murmur_keep_record_memory(void) {
#if defined(__linux__) && defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
#endif
}

void murmur_return_memory(void) {
#if defined(__linux__) && defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// Freed vectors, kept by the thread that freed them for its next ones: models come and go many times a cycle, all of a few sizes,
// and a general allocator takes a microsecond to find an aligned place for each.
enum { SIZES = 8, KEPT = 64, KEPT_BYTES = 4 << 20, SMALLEST = 1 << 10 };

struct shelf {
  size_t size;
  int count;
  void *items[KEPT];
};

static _Thread_local struct shelf shelves[SIZES];
static _Thread_local int next_shelf;

static void empty(struct shelf *shelf) {
  while (shelf->count > 0) free(shelf->items[--shelf->count]);
}

static struct shelf *shelf_for(size_t size, int make) {
  for (int i = 0; i < SIZES; i++)
    if (shelves[i].size == size) return &shelves[i];
  if (!make) return NULL;
  struct shelf *shelf = &shelves[next_shelf];
  next_shelf = (next_shelf + 1) % SIZES;
  empty(shelf);
  shelf->size = size;
  return shelf;
}

void murmur_forget_freed_memory(void) {
  for (int i = 0; i < SIZES; i++) empty(&shelves[i]);
}

void *murmur_allocate(size_t bytes) {
  size_t size = (bytes + 63) & ~(size_t)63;
  if (size >= SMALLEST) {
    struct shelf *shelf = shelf_for(size, 0);
    if (shelf && shelf->count > 0) return shelf->items[--shelf->count];
  }
  void *memory = aligned_alloc(64, size);
  if (!memory) abort();
  return memory;
}

void murmur_release(void *memory, size_t bytes) {
  size_t size = (bytes + 63) & ~(size_t)63;
  if (size >= SMALLEST) {
    struct shelf *shelf = shelf_for(size, 1);
    if (shelf && shelf->count < KEPT && (size_t)(shelf->count + 1) * size <= KEPT_BYTES) {
      shelf->items[shelf->count++] = memory;
      return;
    }
  }
  free(memory);
}
