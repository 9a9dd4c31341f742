/** Exports a model for serving. */
import { UsageError } from '../../errors.js';
import type { ActionObject, Output } from '../types.js';
import type { ExportFileManager } from './export-file-manager.js';

/** A model that can write itself to a directory. */
export interface Exportable {
  /** Writes everything needed to serve the model to `directory`, which does not exist yet. */
  export(directory: string, options: ExportOptions): unknown;
}

/** What is passed on to the model's export. */
export interface ExportOptions {
  /** Functions of the model to be served, by name. */
  readonly signatures?: unknown;
  /** Further settings of the model's own. */
  readonly [option: string]: unknown;
}

/** Exports the model to the next name of a file manager, then removes old exports. The output does not matter. */
export class ExportSavedModel implements ActionObject {
  readonly #model: Exportable | Exportable['export'];
  readonly #fileManager: Pick<ExportFileManager, 'nextName' | 'cleanUp'>;
  readonly #options: ExportOptions;

  /** @param model a model with `export(directory, options)`, or that function */
  constructor(
    model: Exportable | Exportable['export'],
    fileManager: Pick<ExportFileManager, 'nextName' | 'cleanUp'>,
    options: ExportOptions | null = null,
  ) {
    if (typeof model !== 'function' && typeof model?.export !== 'function') {
      throw new UsageError('`model` should have a method `export(directory, options)`, or be such a function.');
    }
    this.#model = model;
    this.#fileManager = fileManager;
    this.#options = options ?? {};
  }

  async run(_output?: Output): Promise<void> {
    const directory = await this.#fileManager.nextName();
    if (typeof this.#model === 'function') await this.#model(directory, this.#options);
    else await this.#model.export(directory, this.#options);
    await this.#fileManager.cleanUp();
  }
}
