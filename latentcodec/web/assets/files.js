// The files that a decoder needs, from a server or, in a page that has them in itself, by name.
import { LoadError } from "./errors.js";
import { inflate } from "./inflate.js";

/**
 * @typedef {object} Place
 * @property {string} base an address in the folder that `latentcodec web` wrote
 * @property {Record<string, Uint8Array> | null} files those of a page that has them in itself
 * @property {boolean} [gpu] whether the synthesis may run on one; true: on one in software, too
 */

/**
 * The bytes behind an address. Throws LoadError.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<Uint8Array>}
 */
export async function download(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (signal?.aborted) throw error;
  }
  const reason = response ? `the server says ${response.status}` : "nothing answers";
  throw new LoadError(`${address} cannot be loaded: ${reason}`);
}

const PLANES = 4; // of bytes: most of a model is numbers of two or four of them

/**
 * The bytes of a file of which each fourth one is stored first, then those beside them, and each
 * with the top bit of the one before it added.
 * @param {Uint8Array} planes
 */
function interleaved(planes) {
  const whole = new Uint8Array(planes.length);
  for (let first = 0, at = 0; first < PLANES; first++) {
    for (let i = first; i < whole.length; i += PLANES) whole[i] = planes[at++];
  }
  for (let i = 1; i < whole.length; i++) whole[i] -= whole[i - 1] >> 7;
  return whole;
}

/** Reads files of one place, and inflates those that are compressed. */
export class FileStore {
  /** @param {Place} place */
  constructor(place) {
    this._place = place;
  }

  /**
   * A file that is stored as xz, by its path in the folder without `.xz`. Throws LoadError.
   * @param {string} path
   * @returns {Promise<Uint8Array>}
   */
  async readXz(path) {
    const data = /** @type {BlobPart} */ (await this._stored(`${path}.xz`));
    const decoder = await import(this.script("runtime/xz.js")).catch((error) => {
      throw new LoadError(`runtime/xz.js cannot be loaded: ${error.message}`);
    });
    try {
      const unpacked = new decoder.XzReadableStream(new Blob([data]).stream());
      return new Uint8Array(await new Response(unpacked).arrayBuffer());
    } catch {
      throw new LoadError(`${path}.xz is damaged`);
    }
  }

  /**
   * A file of a model, which is stored in planes of bytes, as gzip. Throws LoadError.
   * @param {string} path without `.planes.gz`
   */
  async readPlanes(path) {
    const data = await this._stored(`${path}.planes.gz`);
    // A server may have inflated it on the way.
    if (data[0] !== 0x1f || data[1] !== 0x8b) return interleaved(data);
    try {
      return interleaved(/** @type {Uint8Array} */ (await inflate(data, "gzip")));
    } catch {
      throw new LoadError(`${path}.planes.gz is damaged`);
    }
  }

  /** @param {string} path */
  async json(path) {
    return JSON.parse(new TextDecoder().decode(await this._stored(path)));
  }

  /**
   * An address from which a script can be imported.
   * @param {string} path
   * @returns {string}
   */
  script(path) {
    const { files, base } = this._place;
    if (!files) return new URL(path, base).href;
    const source = /** @type {BlobPart} */ (files[path]);
    return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  }

  /** @param {string} path */
  async _stored(path) {
    const { files, base } = this._place;
    if (!files) return download(new URL(path, base).href);
    if (!files[path]) throw new LoadError(`${path} is not in this page`);
    return files[path];
  }
}
