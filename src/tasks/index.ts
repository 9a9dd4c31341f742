/** Built-in tasks. Importing this room registers their experiments. */
export * from './mnist/index.js';
