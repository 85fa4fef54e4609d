// The file format safetensors: a length, a JSON header, and arrays.
import { CorruptWeights } from "./errors.js";

const ARRAYS = {
  I8: Int8Array, U8: Uint8Array, I16: Int16Array, U16: Uint16Array, I32: Int32Array,
  F32: Float32Array,
};

/**
 * @typedef {object} Tensor
 * @property {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array} data
 * @property {number[]} shape
 */

/**
 * The tensors of a file, by name, and its metadata.
 * @param {Uint8Array} bytes
 * @returns {{tensors: Record<string, Tensor>, metadata: Record<string, string>}}
 */
export function readTensors(bytes) {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const start = 8 + Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
    const { __metadata__: metadata, ...entries } = header;
    /** @type {Record<string, Tensor>} */
    const tensors = {};
    for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
      const kind = ARRAYS[/** @type {keyof typeof ARRAYS} */ (dtype)];
      if (!kind) continue; // of networks, which are in their graphs
      const own = bytes.slice(start + from, start + to); // typed arrays want aligned bytes
      tensors[name] = { data: new kind(own.buffer), shape };
    }
    return { tensors, metadata };
  } catch {
    throw new CorruptWeights("the tables of the model cannot be read");
  }
}
