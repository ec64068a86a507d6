/**
 * The precision in which a step computes activations and convolutions. tf32: float32 whose factors a GPU rounds to 10
 * bits of mantissa.
 */
export type Precision = 'float32' | 'tf32' | 'bfloat16';

/** tensorflow.DataType; the numbers are TensorFlow's own. */
export const DataType = {
  float: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  resource: 20,
};
