/**
 * The LZ4 frame format, to be decompressed in memory: a magic number, flags, then blocks of literals and copies of earlier bytes. No
 * library of JavaScript that is kept up reads frames whose blocks refer to the blocks before them, which is how Arrow files have them.
 */

const MAGIC = 0x184d2204;
/** Largest block by the code in the frame's header. */
const BLOCK_BYTES = [0, 0, 0, 0, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22];
const STORED = 0x80000000;

/** Decompresses a frame. Throws an Error for one that is damaged. */
export function decompressLz4Frame(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = bytes[4] ?? 0;
  const blockBytes = BLOCK_BYTES[(bytes[5]! >> 4) & 7];
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC || flags >> 6 !== 1 || !blockBytes) throw new Error('it is no LZ4 frame');
  if (flags & 1) throw new Error('it needs an LZ4 dictionary');
  const hasSize = (flags & 8) !== 0;
  const checksumBytes = flags & 16 ? 4 : 0;
  let output = new Uint8Array(hasSize ? Number(view.getBigUint64(6, true)) : 4 * bytes.length);
  let at = hasSize ? 15 : 7;
  let length = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('its LZ4 data end too early');
    const head = view.getUint32(at, true);
    if (head === 0) return output.subarray(0, length);
    const size = head % STORED;
    const begin = at + 4;
    at = begin + size + checksumBytes;
    if (at > bytes.length) throw new Error('its LZ4 data end too early');
    if (length + blockBytes > output.length && !hasSize) {
      const larger = new Uint8Array(2 * output.length + blockBytes);
      larger.set(output);
      output = larger;
    }
    const block = bytes.subarray(begin, begin + size);
    if (head < STORED) length = decompressBlock(block, output, length);
    else {
      output.set(block, length);
      length += size;
    }
  }
}

/** Appends what a block stands for to the first `length` bytes of the output; gives the new length. */
function decompressBlock(block: Uint8Array, output: Uint8Array, length: number): number {
  let at = 0;
  const extended = (start: number): number => {
    let size = start;
    for (let byte = 255; byte === 255 && start === 15; size += byte) byte = block[at++] ?? 0;
    return size;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = extended(token >> 4);
    if (at + literals > block.length || length + literals > output.length) throw new Error('its LZ4 data are damaged');
    output.set(block.subarray(at, at + literals), length);
    at += literals;
    length += literals;
    if (at >= block.length) break; // the last sequence has no copy
    const offset = block[at]! | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const size = extended(token & 15) + 4;
    if (offset === 0 || offset > length || length + size > output.length) throw new Error('its LZ4 data are damaged');
    if (offset >= size) output.copyWithin(length, length - offset, length - offset + size);
    else for (let i = 0; i < size; i++) output[length + i] = output[length + i - offset]!; // what is copied grows as it is written
    length += size;
  }
  return length;
}
