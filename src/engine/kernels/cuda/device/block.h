// How the threads of a block share a piece of [rows, channels], and how they add up what each has found.
#pragma once

/**
 * The threads as rows of lanes: a lane takes every `lanes`-th channel of the piece, a thread of it every `rows`-th row.
 * So neighbours in a block read neighbours in memory. Threads beyond the last whole row have nothing to do.
 */
struct Lanes {
  int lanes, rows, lane, row;

  __device__ explicit Lanes(int channels)
      : lanes(channels < (int)blockDim.x ? channels : (int)blockDim.x),
        rows((int)blockDim.x / lanes),
        lane((int)threadIdx.x % lanes),
        row((int)threadIdx.x / lanes) {}

  __device__ bool idle() const { return row >= rows; }
};

/**
 * Adds up `memory`, one entry a thread, over the rows of each lane, always in the same order: the sum is in the lane's
 * entry of row 0. Every thread calls it.
 */
template <class Part>
__device__ inline void addRows(const Lanes& at, Part* memory) {
  __syncthreads();
  for (int count = at.rows; count > 1;) {
    const int half = (count + 1) / 2;
    if (at.row + half < count) memory[threadIdx.x].add(memory[threadIdx.x + half * at.lanes]);
    count = half;
    __syncthreads();
  }
}

/** Adds up the entries of row 0 over each `width` neighbouring lanes, after addRows: the sum is in the first of them. */
template <class Part>
__device__ inline void addLanes(const Lanes& at, int width, Part* memory) {
  const int place = at.lane % width;
  for (int count = width; count > 1;) {
    const int half = (count + 1) / 2;
    if (at.row == 0 && place + half < count) memory[threadIdx.x].add(memory[threadIdx.x + half]);
    count = half;
    __syncthreads();
  }
}
