/** The notices of the data pipeline are those of the house. */
export { notice, setNoticeHandler } from '../notice.js';
