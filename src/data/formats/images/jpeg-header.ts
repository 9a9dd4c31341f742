const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
const END = Uint8Array.of(0xff, EOI);

/** What the segments of a JPEG file say. */
export interface JpegHeader {
  /** Pixels; 0 where the frame does not say so before its first scan. */
  readonly width: number;
  readonly height: number;
  /** False where the file ends before its end-of-image marker: the decoder would fill the missing rows with grey. */
  readonly complete: boolean;
}

/**
 * The header of a JPEG file (ITU-T T.81, B.1 and B.2); undefined for other formats. Segments are stepped over by their lengths, so
 * that the end of an embedded thumbnail does not count.
 */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return undefined;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extent = { width: 0, height: 0 };
  for (let at = 2; at + 4 <= file.length;) {
    const marker = file[at + 1]!;
    // Within scans 0xff is always followed by another byte. Where a segment is not as long as it says, an end is looked for, too.
    if (file[at] !== 0xff || marker === SOS) return { ...extent, complete: file.lastIndexOf(END) >= at };
    if (marker === EOI) return { ...extent, complete: true };
    if (isFrame(marker) && at + 9 <= file.length)
      Object.assign(extent, { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) });
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    at += marker === 0xff ? 1 : alone ? 2 : 2 + file.readUInt16BE(at + 2);
  }
  return { ...extent, complete: false };
}

/** Whether a marker begins a frame: SOF0 to SOF15, between which tables have theirs. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
