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
