// The half of the module that runs in a worker: it decodes, one picture after another, so that the
// page stays responsive.
import { readFile } from "./container.js";
import { LatError, packError, UnsupportedBrowser } from "./errors.js";
import { FileStore } from "./files.js";
import { loadModel } from "./model.js";
import { factsOf, latentsOf, partsOf } from "./picture.js";
import { pngOf } from "./png.js";

/** The name of the worker, by which the module knows that it is in one. */
export const WORKER_NAME = "latentcodec";
const MAX_THREADS = 8;

/**
 * @typedef {object} Start the first message
 * @property {import("./files.js").Place} place
 *
 * @typedef {object} Job a later one
 * @property {number} id
 * @property {Uint8Array} [data] a file; without one, the job of this id is to end
 * @property {"bitmaps" | "pixels" | "latents"} [wanted]
 * @property {number} [maxPixels]
 */

/** Decodes what it is sent, and posts what comes of it. */
class Server {
  /** @param {import("./files.js").Place} place */
  constructor(place) {
    this._files = new FileStore(place);
    this._gpu = place.gpu;
    /** @type {Promise<import("./model.js").Runtimes> | null} */
    this._runtimes = null;
    /** @type {Map<string, Promise<import("./model.js").Model>>} */
    this._models = new Map();
    /** @type {Set<number>} */
    this._ended = new Set();
    this._queue = Promise.resolve();
  }

  /** @param {Job} job */
  take(job) {
    if (!job.data) this._ended.add(job.id);
    else this._queue = this._queue.then(() => this._do(job));
  }

  /** @param {Job} job */
  async _do({ id, data, wanted, maxPixels }) {
    try {
      let synthesis = "";
      if (!this._ended.has(id)) {
        const file = readFile(/** @type {Uint8Array} */ (data), maxPixels);
        const facts = factsOf(file);
        post({ id, facts });
        const model = await this._model(file.header);
        if (wanted === "latents") post({ id, latents: await latentsOf(file, model) });
        else await this._parts(id, partsOf(file, model), wanted === "bitmaps", facts.icc);
        synthesis = model.synthesis;
      }
      post({ id, synthesis });
    } catch (error) {
      if (!(error instanceof LatError)) console.error(error);
      post({ id, error: packError(error) });
    }
    this._ended.delete(id);
  }

  /**
   * @param {number} id
   * @param {AsyncGenerator<import("./picture.js").Part>} parts
   * @param {boolean} asBitmaps
   * @param {Uint8Array | null} icc
   */
  async _parts(id, parts, asBitmaps, icc) {
    for await (const { pixels, ...place } of parts) {
      if (this._ended.has(id)) return;
      if (asBitmaps) {
        const bitmap = await bitmapOf(pixels, place.width, place.height, icc);
        post({ id, part: { ...place, bitmap } }, [bitmap]);
      } else {
        post({ id, part: { ...place, pixels } }, [pixels.buffer]);
      }
    }
  }

  /** @param {import("./container.js").Header} header */
  async _model(header) {
    const name = `${header.model}-${header.hash}`;
    let model = this._models.get(name);
    if (!model) {
      this._runtimes ??= this._load().catch((error) => {
        this._runtimes = null; // the next picture tries again
        throw error;
      });
      model = this._runtimes.then(async (runtimes) => {
        const loaded = await loadModel(runtimes, this._files, header);
        await loaded.prepare();
        return loaded;
      });
      this._models.set(name, model);
      model.catch(() => this._models.delete(name));
    }
    return model;
  }

  /** @returns {Promise<import("./model.js").Runtimes>} */
  async _load() {
    const ort = await this._runtime("ort");
    if (!(await this._hasGpu())) return { ort, gpu: null };
    // This build has a GPU, but not all that the prior needs; and it can be done without.
    return { ort, gpu: await this._runtime("ort.webgpu").catch(() => null) };
  }

  /** @param {string} build */
  async _runtime(build) {
    const script = this._files.script(`runtime/${build}.js`);
    const binary = await this._files.readXz(`runtime/${build}.wasm`);
    try {
      const ort = await import(script);
      ort.env.wasm.wasmBinary = binary;
      // Threads share memory, which browsers allow to pages that are isolated.
      ort.env.wasm.numThreads = self.crossOriginIsolated
        ? Math.min(navigator.hardwareConcurrency, MAX_THREADS) : 1;
      return ort;
    } catch (error) {
      throw new UnsupportedBrowser(`ONNX Runtime cannot be started here: ${error}`);
    }
  }

  /** Whether there is a GPU for the synthesis, and the build of the runtime that uses it. */
  async _hasGpu() {
    const gpu = /** @type {any} */ (navigator).gpu;
    // That build waits for the GPU by way of JavaScript's promises.
    if (this._gpu === false || !gpu || !("Suspending" in WebAssembly)) return false;
    if (!(await this._files.json("runtime/index.json")).webgpu) return false;
    const adapter = await gpu.requestAdapter();
    return adapter && (this._gpu || !adapter.info.isFallbackAdapter);
  }
}

/**
 * Pixels as the browser draws them: those with a profile pass its colour management.
 * @param {Uint8ClampedArray} pixels RGBA
 * @param {number} width @param {number} height
 * @param {Uint8Array | null} icc
 * @returns {Promise<ImageBitmap>}
 */
function bitmapOf(pixels, width, height, icc) {
  if (!icc) {
    const samples = /** @type {Uint8ClampedArray<ArrayBuffer>} */ (pixels);
    return createImageBitmap(new ImageData(samples, width, height));
  }
  const png = /** @type {BlobPart} */ (pngOf(pixels, width, height, icc));
  return createImageBitmap(new Blob([png], { type: "image/png" }));
}

/** @param {object} message @param {Transferable[]} [transfer] */
function post(message, transfer = []) {
  self.postMessage(message, { transfer });
}

/** Serve the page that started this worker; does nothing elsewhere. */
export function serve() {
  if (typeof document !== "undefined" || self.name !== WORKER_NAME) return;
  /** @type {Server} */
  let server;
  self.addEventListener("message", ({ data }) => {
    if (data.place) server = new Server(data.place);
    else server.take(data);
  });
}
