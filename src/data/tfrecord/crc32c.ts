/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), four bytes at a time through four tables. */
const tables = Array.from({ length: 4 }, () => new Int32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  tables[0]![byte] = crc;
}
for (let byte = 0; byte < 256; byte++) {
  for (let k = 1; k < 4; k++) {
    const before = tables[k - 1]![byte]!;
    tables[k]![byte] = (before >>> 8) ^ tables[0]![before & 0xff]!;
  }
}
const [T0, T1, T2, T3] = tables as [Int32Array, Int32Array, Int32Array, Int32Array];

/** CRC-32C of bytes `begin` up to `end` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, begin = 0, end = bytes.length): number {
  let crc = -1;
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = T3[crc & 0xff]! ^ T2[(crc >>> 8) & 0xff]! ^ T1[(crc >>> 16) & 0xff]! ^ T0[crc >>> 24]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The form in which record files store a checksum: rotated by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array, begin = 0, end = bytes.length): number {
  const crc = crc32c(bytes, begin, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
