export { detectCompression, detectCompressionSync, firstBytes, openBytes, type ByteStream } from './byte-stream.js';
export { compressionOf, refuseCompressed, type Compression } from './compression.js';
export { cannotDecompress, cannotRead, openToRead, optionalPackage } from './failures.js';
export { firstBytesSync } from './first-bytes.js';
export { required, requiredOptional } from './lazy.js';
export { expandPaths, type Paths } from './paths.js';
export { ByteWindow } from './byte-window.js';
export { NO_UTF8, textStart, utf8Text } from './utf8.js';
export { otherFormat, otherFormatOf, SIGNATURE_BYTES } from './signatures.js';
