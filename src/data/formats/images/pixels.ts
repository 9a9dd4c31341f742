/** How four channels of bytes become the values of an array. */
export interface Conversion {
  /** 3 (RGB) or 1 (grey). */
  readonly channels: 1 | 3;
  /** Whether rows are mirrored. */
  readonly mirror: boolean;
  /** value × scale + shift, per channel. */
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** What the library says of decoded pixels, by its number for it: samples of a pixel and bits of a sample. */
const layouts = [1, 2, 3, 4].flatMap((samples) => [8, 16].map((bits) => ({ samples, bits }))).sort((a, b) => a.bits - b.bits);

/** Samples of a pixel and their bits for the library's number of a colour type; undefined for types of whole floats. */
export function layoutOf(colorType: number): { readonly samples: number; readonly bits: number } | undefined {
  return layouts[colorType];
}

/**
 * Decoded pixels as four opaque channels of a byte: grey is repeated, 16 bits are rounded to 8, and what lies under transparency
 * shows as it is.
 */
export function opaque(data: Uint8Array, colorType: number): Uint8Array {
  const { samples, bits } = layoutOf(colorType)!;
  const source = bits === 8 ? data : roundedTo8(data);
  const [green, blue] = samples < 3 ? [0, 0] : [1, 2];
  const result = new Uint8Array((source.length / samples) * 4);
  for (let from = 0, to = 0; to < result.length; from += samples, to += 4) {
    result[to] = source[from]!;
    result[to + 1] = source[from + green]!;
    result[to + 2] = source[from + blue]!;
    result[to + 3] = 255;
  }
  return result;
}

function roundedTo8(data: Uint8Array): Uint8Array {
  const wide = new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  return Uint8Array.from(wide, (value) => Math.round(value / 257));
}

/** Writes pixels of four bytes, `width` to a row, as values of fewer channels; the fourth byte is left out. */
export function convert(
  rgba: Uint8Array,
  width: number,
  into: Uint8Array | Float32Array,
  { channels, mirror, scale, shift }: Conversion,
): void {
  const [s0, s1, s2] = scale as [number, number, number];
  const [b0, b1, b2] = shift as [number, number, number];
  const step = mirror ? -4 : 4;
  for (let row = 0, to = 0; row < rgba.length; row += width * 4) {
    let from = mirror ? row + (width - 1) * 4 : row;
    const end = to + width * channels;
    if (channels === 3) {
      for (; to < end; from += step, to += 3) {
        into[to] = rgba[from]! * s0 + b0;
        into[to + 1] = rgba[from + 1]! * s1 + b1;
        into[to + 2] = rgba[from + 2]! * s2 + b2;
      }
    } else for (; to < end; from += step, to++) into[to] = luma(rgba[from]!, rgba[from + 1]!, rgba[from + 2]!) * s0 + b0;
  }
}

/** Luma of ITU-R 601 in whole numbers: the grey of Pillow and of tf.image. */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
