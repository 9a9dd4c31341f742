// Convolutions one by one: native kernels beside ONNX Runtime's operators, images with their channels last.
import { CONVOLUTIONS, OURS, startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';
import { digits } from '../lib/report.mjs';

const of = (name, x, filter, more = {}) => ({ name, x, filter, strides: 1, padding: 'same', dilations: 1, depthwise: false, ...more });

const SHAPES = [
  of('3×3, 16 channels, 32×32', [32, 32, 32, 16], [3, 3, 16, 16]),
  of('3×3, 32 channels, 16×16', [32, 16, 16, 32], [3, 3, 32, 32]),
  of('3×3, 64 channels, 8×8', [32, 8, 8, 64], [3, 3, 64, 64]),
  of('3×3 valid, 32 → 64, 26×26', [64, 26, 26, 32], [3, 3, 32, 64], { padding: 'valid' }),
  of('3×3, 256 channels, 14×14', [16, 14, 14, 256], [3, 3, 256, 256]),
  of('3×3, 3 → 16, 32×32', [32, 32, 32, 3], [3, 3, 3, 16]),
  of('3×3 valid, 1 → 32, 28×28', [64, 28, 28, 1], [3, 3, 1, 32], { padding: 'valid' }),
  of('3×3, 8 channels, 64×64', [16, 64, 64, 8], [3, 3, 8, 8]),
  of('3×3 stride 2, 16 → 32, 32×32', [32, 32, 32, 16], [3, 3, 16, 32], { strides: 2 }),
  of('5×5, 32 → 64, 14×14', [32, 14, 14, 32], [5, 5, 32, 64]),
  of('1×1, 64 → 128, 16×16', [32, 16, 16, 64], [1, 1, 64, 128]),
  of('1×1 stride 2, 16 → 32, 32×32', [32, 32, 32, 16], [1, 1, 16, 32], { strides: 2 }),
  of('3×3 dilation 4, 32 channels, 28×28', [8, 28, 28, 32], [3, 3, 32, 32], { dilations: 4 }),
  of('depthwise 3×3, 64 channels, 16×16', [32, 16, 16, 64], [3, 3, 64, 1], { depthwise: true }),
  of('depthwise 3×3, 128 channels, 56×56', [8, 56, 56, 128], [3, 3, 128, 1], { depthwise: true }),
];

/** Least milliseconds per convolution and gradient, native and composed in turn; with the peak measured before, the share of it. */
export async function measureConvolutions(context) {
  const section = {
    title: `Convolutions: native kernels ÷ ONNX Runtime's operators, least of ${context.options.rounds} profiles`,
    facts: [],
    missing: [],
  };
  let peer = null;
  try {
    peer = await startPeer(CONVOLUTIONS, context);
    section.convolutions = {};
    for (const shape of SHAPES) {
      context.progress(shape.name);
      const result = await peer.ask({ do: 'convolution', shape, rounds: context.options.rounds });
      section.convolutions[shape.name] = result;
      section.facts.push({ name: shape.name, value: textOf(result, context.peakFlopsPerSecond) });
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    section.missing.push({ name: OURS, reason: error.message });
  } finally {
    peer?.close();
  }
  return section;
}

function textOf({ times, flops }, peak) {
  const parts = Object.entries(times).map(([name, { native, composed }]) => {
    const rate = flops / native / 1e6;
    const share = peak === undefined ? '' : `, ${((rate * 1e9) / peak).toFixed(2)} of the peak`;
    return `${name} ${digits(native)} ÷ ${digits(composed)} ms = ${digits(native / composed)} (${rate.toFixed(0)} GFLOP/s${share})`;
  });
  return parts.join('; ');
}
