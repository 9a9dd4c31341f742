let write = (message: string): void => void process.stderr.write(`${message}\n`);

/** Tells the user something that is no error, in one line. */
export function notice(message: string): void {
  write(message);
}

/** Sends the data pipeline's notices elsewhere than to standard error; without argument, back there. */
export function setNoticeHandler(handler?: (message: string) => void): void {
  write = handler ?? ((message) => void process.stderr.write(`${message}\n`));
}
