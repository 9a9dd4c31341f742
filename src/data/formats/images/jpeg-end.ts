const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
const END = Uint8Array.of(0xff, EOI);

/**
 * Whether a JPEG file ends before its end-of-image marker (ITU-T T.81, B.1): the decoder would fill the missing rows with grey.
 * Segments are stepped over by their lengths, so that the end of an embedded thumbnail does not count. False for other formats.
 */
export function isCutJpeg(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return false;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= file.length;) {
    const marker = file[at + 1]!;
    if (file[at] !== 0xff) return file.lastIndexOf(END) < at; // what a segment's length promises is not there: look for an end at all
    if (marker === EOI) return false;
    if (marker === SOS) return file.lastIndexOf(END) < at; // within scans 0xff is always followed by another byte
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += marker === 0xff ? 1 : alone ? 2 : 2 + file.readUInt16BE(at + 2);
  }
  return true;
}
