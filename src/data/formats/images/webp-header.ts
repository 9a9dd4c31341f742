/**
 * Whether a WebP file is as long as its RIFF header says; true for other formats. The decoder does not ask: it would take the first
 * of several pictures, or rows of noise, for the whole.
 */
export function webpComplete(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WEBP') return true;
  return file.length >= 8 + file.readUInt32LE(4);
}
