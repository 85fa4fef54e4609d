// The half of the module that runs in a page: it sends files to a worker and gets pictures back.
import { LoadError, unpackError, UnsupportedBrowser } from "./errors.js";
import { WORKER_NAME } from "./worker.js";

/**
 * @typedef {object} Facts what a file says of itself
 * @property {number} width px, of what is stored
 * @property {number} height px
 * @property {boolean} grey
 * @property {boolean} alpha
 * @property {number} quality 1 to 100
 * @property {string} model its code
 * @property {string} hash of the weights, 8 hexadecimal digits
 * @property {number} orientation of EXIF, 1 to 8
 * @property {Uint8Array | null} icc the colour profile
 * @property {Uint8Array | null} preview a small WebP of it
 *
 * @typedef {object} Listener
 * @property {(facts: Facts) => void} [facts]
 * @property {(part: any) => void} [part]
 * @property {(latents: Int32Array) => void} [latents]
 */

// A module with an instruction of 128 bits.
const SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11);

/** @type {import("./files.js").Place} */
let place = { base: import.meta.url, files: null };
/** @type {Worker | null} */
let worker = null;
/**
 * @typedef {object} Pending
 * @property {Listener} listener
 * @property {(synthesis: string) => void} resolve
 * @property {(error: Error) => void} reject
 */
/** @type {Map<number, Pending>} */
const jobs = new Map();
let count = 0;

/**
 * Where runtime and models are, if not beside this module: the address of a folder that
 * `latentcodec web` wrote, or its files by name. To be called before the first picture.
 * gpu: whether the synthesis may run on one; as a rule, where there is one with WebGPU that is no
 * software, and the folder has what it takes.
 * @param {{base?: string | URL, files?: Record<string, Uint8Array>, gpu?: boolean}} options
 */
export function configure({ base, files, gpu }) {
  const folder = base === undefined ? import.meta.url : new URL(`${base}/`, location.href).href;
  place = { base: folder, files: files ?? null, gpu };
}

/** Throws UnsupportedBrowser. */
function checkBrowser() {
  const simd = typeof WebAssembly === "object" && WebAssembly.validate(SIMD);
  const lacks = simd ? typeof DecompressionStream === "function" ? "" : "DecompressionStream"
    : "WebAssembly with SIMD";
  if (lacks) {
    throw new UnsupportedBrowser(
      `this browser has no ${lacks}, which is needed to decode .lat files`);
  }
}

function newWorker() {
  if (!place.files) return new Worker(import.meta.url, { type: "module", name: WORKER_NAME });
  // A page from the file system may start no module in a worker, but a script that imports one.
  const source = new TextDecoder().decode(place.files["latentcodec.js"]);
  const starter = `(${importing})(${JSON.stringify(source)})`;
  const script = new Blob([starter], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(script), { name: WORKER_NAME });
}

/** In a worker: become a module, and keep what is sent meanwhile. @param {string} source */
function importing(source) {
  /** @type {MessageEvent[]} */
  const early = [];
  const keep = (/** @type {MessageEvent} */ event) => early.push(event);
  self.addEventListener("message", keep);
  import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))).then(() => {
    self.removeEventListener("message", keep);
    for (const { data } of early) self.dispatchEvent(new MessageEvent("message", { data }));
  });
}

function started() {
  if (worker) return worker;
  checkBrowser();
  const own = newWorker();
  own.addEventListener("message", ({ data: { id, ...message } }) => {
    const job = jobs.get(id);
    if (!job) return;
    try {
      if (message.facts) job.listener.facts?.(message.facts);
      else if (message.part) job.listener.part?.(message.part);
      else if (message.latents) job.listener.latents?.(message.latents);
      else {
        jobs.delete(id);
        if (message.error) job.reject(unpackError(message.error));
        else job.resolve(message.synthesis);
      }
    } catch (error) { // of a canvas that is too large, or of the page's own function
      jobs.delete(id);
      own.postMessage({ id });
      job.reject(/** @type {Error} */ (error));
    }
  });
  own.addEventListener("error", (event) => {
    event.preventDefault();
    const reason = event.message ? `: ${event.message}` : "";
    for (const { reject } of jobs.values()) {
      reject(new LoadError(`the decoder's worker cannot be started${reason}`));
    }
    jobs.clear();
    if (worker === own) worker = null;
  });
  own.postMessage({ place });
  return (worker = own);
}

/**
 * Have a file decoded.
 * @param {Uint8Array} data
 * @param {"bitmaps" | "pixels" | "latents"} wanted
 * @param {Listener} listener what is called meanwhile
 * @param {{maxPixels?: number, signal?: AbortSignal}} options
 * @returns {Promise<string>} what the synthesis ran on; rejected with an error of errors.js, or the
 *   signal's reason
 */
export function decode(data, wanted, listener, { maxPixels, signal }) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const target = started(), id = ++count;
    const abort = () => {
      jobs.delete(id);
      target.postMessage({ id });
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const end = () => signal?.removeEventListener("abort", abort);
    jobs.set(id, {
      listener,
      resolve: (synthesis) => { end(); resolve(synthesis); },
      reject: (error) => { end(); reject(error); },
    });
    target.postMessage({ id, data, wanted, maxPixels });
  });
}
