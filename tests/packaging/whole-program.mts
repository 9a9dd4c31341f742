// A user's program over the whole package, compiled with the types of Node alone and without skipLibCheck.
// `doors.mts`, written beside it, imports every door.
export { all } from './doors.mjs';
