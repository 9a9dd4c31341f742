/** NumPy's files of arrays, `.npy` and `.npz`: what data sets and weights have in common. */
export { decodeNpyHeader, type NpyHeaderText } from './npy.js';
export { writeNpz, type NpzArray } from './write-npz.js';
export { memberHead, readMember, zipMembers, type ReadBytes, type ZipMember } from './zip.js';
