/** All mistakes, in the order of the page. */
import { commandLine } from './command-line.js';
import { compiling } from './compile.js';
import { configFiles } from './config-files.js';
import { configsInCode } from './configs-in-code.js';
import { data } from './data.js';
import { running } from './running.js';
import { tasks } from './tasks.js';

/** The chapters of docs/errors.md. */
export const chapters = [commandLine, configFiles, configsInCode, tasks, compiling, data, running];
