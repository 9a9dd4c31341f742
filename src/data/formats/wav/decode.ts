import { DataError } from '../../../errors.js';
import { otherFormat } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';

/** Sound as samples from -1 to 1. */
export interface Sound {
  /** float32[frames, channels]. */
  readonly samples: NDArray<'float32'>;
  /** Frames per second. */
  readonly sampleRate: number;
}

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;
/** Encodings that are known but not read. */
const others: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM', 17: 'IMA ADPCM', 49: 'GSM 6.10', 56: 'NMS ADPCM', 64: 'G.721 ADPCM', 85: 'MP3', 255: 'AAC',
}; // prettier-ignore
/** What programs that write into a pipe say: the sound goes on to the end of the file. In RF64 files: its length is in the chunk ds64. */
const UNKNOWN_LENGTH = 0xffffffff;

/** Decodes a RIFF WAVE file (or RF64, BW64): PCM of 8, 16, 24, 32 bits, floats of 32, 64 bits, A-law and µ-law. Throws a {@link DataError} that names `path`. */
export function decodeWav(bytes: Uint8Array, path: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (tag(0) === 'RIFX')
    throw new DataError(`${path} is a WAV file with numbers in big-endian order (RIFX), which is not read. Convert it.`);
  if (tag(0) === 'riff') throw new DataError(`${path} is a Sony Wave64 file; WAV was expected. Convert it.`);
  if (bytes.length < 12 || !['RIFF', 'RF64', 'BW64'].includes(tag(0)) || tag(8) !== 'WAVE')
    throw new DataError(`${path} is not a WAV file: it does not begin with RIFF … WAVE.${otherFormat(bytes, 'fromWav')}`);
  let longLength: number | undefined; // of the sound, where 32 bits may not be enough
  let format: { code: number; channels: number; sampleRate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, length] = [tag(at), view.getUint32(at + 4, true)];
    const start = at + 8;
    if (name === 'fmt ' && length >= 16 && start + 16 <= bytes.length) {
      const code = view.getUint16(start, true);
      format = {
        code: code === EXTENSIBLE && length >= 26 ? view.getUint16(start + 24, true) : code,
        channels: view.getUint16(start + 2, true),
        sampleRate: view.getUint32(start + 4, true),
        bits: view.getUint16(start + 14, true),
      };
    }
    if (name === 'ds64' && length >= 16 && start + 16 <= bytes.length) longLength = Number(view.getBigUint64(start + 8, true));
    if (name === 'data') {
      if (format === undefined) throw new DataError(`${path} is damaged: its sound comes before the description of its format.`);
      const rest = bytes.length - start;
      const sound = length === UNKNOWN_LENGTH ? (longLength ?? rest) : length;
      if (sound > rest) throw new DataError(`${path} is truncated: ${sound} bytes of sound were expected, ${rest} are there.`);
      return { samples: samples(view, start, sound, format, path), sampleRate: format.sampleRate };
    }
    at = start + length + (length & 1);
  }
  throw new DataError(`${path} is truncated or damaged: no sound (a chunk named data) was found.`);
}

function samples(
  view: DataView,
  start: number,
  length: number,
  format: { code: number; channels: number; bits: number },
  path: string,
): NDArray<'float32'> {
  const { code, channels, bits } = format;
  const get = readers[`${code}/${bits}`];
  if (get === undefined || channels === 0) {
    throw new DataError(
      `${path} has samples of format ${code}${others[code] === undefined ? '' : ` (${others[code]})`} with ${bits} bits in ${channels} channels; ` +
        'PCM of 8, 16, 24 or 32 bits, floats of 32 or 64 bits, A-law or µ-law were expected. Convert it.',
    );
  }
  const size = bits / 8;
  const frames = Math.floor(length / size / channels);
  const data = new Float32Array(frames * channels);
  for (let i = 0; i < data.length; i++) data[i] = get(view, start + i * size);
  return new NDArray(data, [frames, channels], 'float32');
}

const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  [`${PCM}/8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM}/16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM}/24`]: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23,
  [`${PCM}/32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT}/32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT}/64`]: (view, at) => view.getFloat64(at, true),
  [`${A_LAW}/8`]: (view, at) => aLaw[view.getUint8(at)]!,
  [`${MU_LAW}/8`]: (view, at) => muLaw[view.getUint8(at)]!,
};

/** Samples of the bytes of ITU-T G.711: a sign, three bits of exponent, four of mantissa. */
const aLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = byte ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const size = ((bits & 15) << 4) + (exponent === 0 ? 8 : 0x108);
  return ((bits & 0x80 ? 1 : -1) * (size << Math.max(0, exponent - 1))) / 2 ** 15;
});
const muLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const size = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? 0 - size : size) / 2 ** 15;
});
