// Decodes `.lat` files in a browser. docs/web.md shows its use.
import { decode } from "./client.js";
import { LimitExceeded } from "./errors.js";
import { download } from "./files.js";
import { LatImage } from "./lat_image.js";
import { isTurned, upright } from "./metadata.js";
import { serve } from "./worker.js";

export { configure } from "./client.js";
export * from "./errors.js";

/**
 * @typedef {import("./client.js").Facts} Facts
 * @typedef {string | URL | Blob | ArrayBuffer | Uint8Array} Source an address, or the bytes
 *
 * @typedef {Facts & {bytes: number, synthesis: string}} Result synthesis: "webgpu" or "wasm"
 *
 * @typedef {object} Options
 * @property {number} [maxPixels] larger pictures are refused with LimitExceeded; 2 ** 26 as a rule
 * @property {AbortSignal} [signal] to stop
 */

const MAX_PIXELS = 2 ** 26; // whose RGBA are 256 MiB
const SURE_SIDE_PX = 4096; // of a canvas, in every browser

/**
 * @param {Source} source @param {AbortSignal} [signal]
 * @returns {Promise<Uint8Array>}
 */
async function bytesOf(source, signal) {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  return download(new URL(source, document.baseURI).href, signal);
}

/**
 * @param {Source} source
 * @param {"bitmaps" | "pixels" | "latents"} wanted
 * @param {import("./client.js").Listener} listener
 * @param {Options} options
 * @returns {Promise<Result>}
 */
async function decoded(source, wanted, listener, { maxPixels = MAX_PIXELS, signal }) {
  const data = await bytesOf(source, signal);
  /** @type {Facts | undefined} */
  let facts;
  const synthesis = await decode(data, wanted, {
    ...listener,
    facts: (given) => {
      facts = given;
      listener.facts?.(given);
    },
  }, { maxPixels, signal });
  return { .../** @type {Facts} */ (facts), bytes: data.length, synthesis };
}

/**
 * Decode onto a canvas, which takes the picture's size: tile by tile, upright, in its colours.
 * Until the first tile comes, the preview is there, if the file has one.
 * @param {Source} source
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
 * @param {Options & {onFacts?: (facts: Facts) => void}} [options] onFacts: called when the canvas
 *   has its size
 * @returns {Promise<Result>} rejected with an error of errors.js
 */
export function decodeToCanvas(source, canvas, options = {}) {
  /** @type {any} */
  let context;
  let isBegun = false;
  /** @param {Facts} facts */
  const drawPreview = async ({ preview, width, height }) => {
    if (!preview) return;
    const blob = new Blob([/** @type {BlobPart} */ (preview)]);
    const bitmap = await createImageBitmap(blob).catch(() => null); // it is damaged
    if (bitmap && !isBegun) context.drawImage(bitmap, 0, 0, width, height);
  };
  return decoded(source, "bitmaps", {
    facts: (facts) => {
      const { width, height, orientation } = facts;
      [canvas.width, canvas.height] = isTurned(orientation) ? [height, width] : [width, height];
      context = canvas.getContext("2d");
      checkCanvas(canvas, context);
      context.setTransform(...upright(orientation, width, height));
      options.onFacts?.(facts);
      drawPreview(facts);
    },
    part: ({ bitmap, left, top, width, height }) => {
      isBegun = true;
      context.imageSmoothingEnabled = false;
      context.clearRect(left, top, width, height); // of a preview under transparency
      context.drawImage(bitmap, left, top);
      bitmap.close();
    },
  }, options);
}

/**
 * Throws LimitExceeded where a browser has no canvas of this size: it draws nothing, silently.
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
 * @param {any} context
 */
function checkCanvas({ width, height }, context) {
  if (context && Math.max(width, height) <= SURE_SIDE_PX) return;
  context?.fillRect(width - 1, height - 1, 1, 1);
  if (!context?.getImageData(width - 1, height - 1, 1, 1).data[3]) {
    throw new LimitExceeded(`this browser has no canvas of ${width} x ${height} px`);
  }
  context.clearRect(width - 1, height - 1, 1, 1);
}

/**
 * Decode to pixels as they are stored: neither turned upright nor colour-managed.
 * @param {Source} source
 * @param {Options} [options]
 * @returns {Promise<ImageData>} rejected with an error of errors.js
 */
export async function decodeToImageData(source, options = {}) {
  /** @type {ImageData | undefined} */
  let image;
  /** @type {Facts | undefined} */
  let size;
  await decoded(source, "pixels", {
    facts: (facts) => { size = facts; },
    part: ({ left, top, width, height, pixels }) => {
      const { width: stride, height: rows } = /** @type {Facts} */ (size);
      image ??= new ImageData(stride, rows);
      for (let y = 0; y < height; y++) {
        const row = pixels.subarray(4 * y * width, 4 * (y + 1) * width);
        image.data.set(row, 4 * ((top + y) * stride + left));
      }
    },
  }, options);
  return /** @type {ImageData} */ (image);
}

/**
 * Decode into an <img>: upright, in its colours.
 * @param {Source} source
 * @param {HTMLImageElement} image
 * @param {Options} [options]
 * @returns {Promise<Result>} rejected with an error of errors.js
 */
export async function decodeToImage(source, image, options = {}) {
  const canvas = new OffscreenCanvas(1, 1);
  const facts = await decodeToCanvas(source, canvas, options);
  const address = URL.createObjectURL(await canvas.convertToBlob());
  image.src = address;
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(address);
  }
  return facts;
}

/**
 * The latents of a file, which are the same on every machine.
 * @param {Source} source
 * @param {Options} [options]
 * @returns {Promise<Int32Array>} [ceil(height / 16), ceil(width / 16), M] in 1/16 of a step
 */
export async function decodeLatents(source, options = {}) {
  /** @type {Int32Array | undefined} */
  let found;
  await decoded(source, "latents", { latents: (latents) => { found = latents; } }, options);
  return /** @type {Int32Array} */ (found);
}

serve();
if (typeof customElements !== "undefined") {
  customElements.define("lat-image", LatImage.using(decodeToCanvas));
}
