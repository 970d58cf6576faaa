// Layers whose inputs lie in parts, matrices of the same rows side by side, of which some rows are not there and count as zero. They are
// left out: a chain of multiply-adds stays what it is where a zero is multiplied. The rows that are there are put together first, in order,
// so that the products run over them alone.

// The numbers of the rows that a mask names; returns how many.
static long K(named_rows)(long rows, const uint64_t *mask, int32_t *named) {
  long count = 0;
  for (long first = 0; first < rows; first += 64)
    for (uint64_t left = mask[first >> 6]; left; left &= left - 1) named[count++] = (int32_t)(first + __builtin_ctzll(left));
  return count;
}

static void K(copy_row)(long width, const float *from, float *to) {
  long i = 0;
  for (; i + LANES <= width; i += LANES) V_STORE(to + i, V_LOAD(from + i));
  if (i < width) V_STOREN(to + i, V_LOADN(from + i, width - i), width - i);
}

static void K(put_together)(long count, const int32_t *named, long width, const float *from, float *to) {
  for (long p = 0; p < count; p++) K(copy_row)(width, from + named[p] * width, to + p * width);
}

static void K(put_back)(long count, const int32_t *named, long width, const float *from, float *to) {
  for (long p = 0; p < count; p++) K(copy_row)(width, from + p * width, to + named[p] * width);
}

static void K(part_forward)(long rows, long in, long out, const float *x, const uint64_t *mask, const float *w, float *y,
                            float *scratch) {
  const struct K(tile_ends) ends = {K(start_c), K(finish_none), 0, 0};
  if (!mask) {
    K(blocked_product)(rows, out, in, 256, x, in, 1, w, out, y, out, &ends);
    return;
  }
  int32_t *named = (int32_t *)scratch;
  const long count = K(named_rows)(rows, mask, named);
  float *some_x = scratch + rows, *some_y = some_x + rows * in;
  K(put_together)(count, named, in, x, some_x);
  K(put_together)(count, named, out, y, some_y);
  K(blocked_product)(count, out, in, 256, some_x, in, 1, w, out, some_y, out, &ends);
  K(put_back)(count, named, out, some_y, y);
}

static void K(part_weights)(long rows, long in, long out, const float *x, const uint64_t *mask, const float *dz, float *dw,
                            float *scratch) {
  const struct K(tile_ends) ends = {K(start_zero), K(finish_none), 0, 0};
  if (!mask) {
    K(blocked_product)(in, out, rows, 64, x, 1, in, dz, out, dw, out, &ends);
    return;
  }
  int32_t *named = (int32_t *)scratch;
  const long count = K(named_rows)(rows, mask, named);
  float *some_x = scratch + rows, *some_dz = some_x + rows * in;
  K(put_together)(count, named, in, x, some_x);
  K(put_together)(count, named, out, dz, some_dz);
  K(blocked_product)(in, out, count, 64, some_x, 1, in, some_dz, out, dw, out, &ends);
}

static void K(part_input)(long rows, long in, long out, const float *dz, const uint64_t *mask, const float *w, float *dx, float *scratch) {
  const struct K(tile_ends) ends = {K(start_zero), K(finish_none), 0, 0};
  float *wt = scratch;
  K(transpose)(in, out, w, out, wt, in);
  if (!mask) {
    K(blocked_product)(rows, in, out, 256, dz, out, 1, wt, in, dx, in, &ends);
    return;
  }
  int32_t *named = (int32_t *)(scratch + in * out);
  const long count = K(named_rows)(rows, mask, named);
  float *some_dz = scratch + in * out + rows, *some_dx = some_dz + rows * out;
  K(put_together)(count, named, out, dz, some_dz);
  K(blocked_product)(count, in, out, 256, some_dz, out, 1, wt, in, some_dx, in, &ends);
  for (long r = 0; r < rows; r++) {
    if (!(mask[r >> 6] >> (r & 63) & 1)) {
      memset(dx + r * in, 0, (size_t)in * sizeof(float));
    } else {
      K(copy_row)(in, some_dx, dx + r * in);
      some_dx += in;
    }
  }
}

// db[out] = the sums of dz's columns, which dense_weights has with its products.
static void K(part_biases)(long rows, long out, const float *dz, float *db) { K(column_sums)(rows, out, dz, db, 0); }
