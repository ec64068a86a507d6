/**
 * The few rules of protobuf's wire format that writing graphs and TensorBoard's events takes (protobuf.dev/programming-guides/encoding): a message is a
 * list of fields, each a key (number and wire type) and a payload.
 */
export type Bytes = Uint8Array;

const encoder = new TextEncoder();

export const concat = (parts: Bytes[]): Bytes => Buffer.concat(parts);

/** Base-128 of a non-negative or negative integer; negatives take ten bytes, as two's complement of 64 bits. */
function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const key = (field: number, wireType: number) => varint((field << 3) | wireType);

/** int32, int64, bool and enum fields. */
export const integer = (field: number, value: number | boolean): Bytes =>
  concat([key(field, 0), varint(Number(value))]);

/** float fields. */
export function float(field: number, value: number): Bytes {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setFloat32(0, value, true);
  return concat([key(field, 5), payload]);
}

/** double fields. */
export function double(field: number, value: number): Bytes {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setFloat64(0, value, true);
  return concat([key(field, 1), payload]);
}

/** string, bytes and message fields. */
export function bytes(field: number, payload: Bytes | string): Bytes {
  const data = typeof payload === 'string' ? encoder.encode(payload) : payload;
  return concat([key(field, 2), varint(data.length), data]);
}

/** Message fields, from the fields inside. */
export const message = (field: number, parts: Bytes[]): Bytes => bytes(field, concat(parts));
