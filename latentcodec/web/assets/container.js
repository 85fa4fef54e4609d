// The container of docs/format.md: header and chunks, with everything that is checked of them.
import {
  CorruptChunk, CorruptHeader, LatError, LimitExceeded, NotALatFile, TrailingData, TruncatedFile,
  UnknownChunk, UnsupportedVersion,
} from "./errors.js";

const SIGNATURE = [0x93, 0x4c, 0x41, 0x54];
const VERSION = 1;
const HEADER_BYTES = 24;
const CRC_BYTES = 4;
const TILE = 0x01, ALPHA = 0x02;
/** Chunk types of metadata that a page has a use for. */
export const ICC = 0x81;
export const EXIF = 0x82;
/** @see ICC */
export const PREVIEW = 0x87;
const METADATA = [ICC, EXIF, 0x83, 0x84, 0x85, 0x86, PREVIEW];
const OPTIONAL = 0x80;
const MAX_BYTES = 1 << 24;
/** @type {{[type: number]: number}} */
const MAX_BYTES_OF = { [ALPHA]: 1 << 21, [PREVIEW]: 1 << 16 };
const MAX_METADATA_CHUNKS = 64;
const MAX_LENGTH_BYTES = 5;
/** Most pixels of a picture that the format allows. */
export const MAX_PIXELS = 1 << 28;
/** Side of a tile. */
export const TILE_PX = 1024;
/** Side of what a latent position stands for. */
export const CELL_PX = 16;

/**
 * @typedef {object} Header
 * @property {number} width px
 * @property {number} height px
 * @property {boolean} grey
 * @property {boolean} alpha
 * @property {number} tenths the quality, 10 to 1000
 * @property {string} model its code
 * @property {string} hash of the weights, 8 hexadecimal digits
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Rectangle
 *
 * @typedef {object} LatFile
 * @property {Header} header
 * @property {Uint8Array[]} tiles payloads, row by row
 * @property {Uint8Array[]} alphas one for each tile, or none
 * @property {Map<number, Uint8Array>} metadata payloads by chunk type
 */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * The CRC-32 of zlib, PNG and gzip.
 * @param {Uint8Array} bytes
 */
export function crc32(bytes) {
  let crc = ~0;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

/** @param {Uint8Array} bytes @param {number} at */
function uint32(bytes, at) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/**
 * The header, from at least the first 24 bytes of a file.
 * @param {Uint8Array} data
 * @returns {Header}
 */
export function readHeader(data) {
  if (!data.length || SIGNATURE.some((byte, i) => i < data.length && data[i] !== byte)) {
    throw new NotALatFile("this is not a .lat file");
  }
  if (data.length < HEADER_BYTES) throw new TruncatedFile("the file ends within its header");
  const view = new DataView(data.buffer, data.byteOffset);
  const version = data[4], colour = data[5];
  if (version !== VERSION) {
    throw new UnsupportedVersion(`the file has format version ${version}, known is ${VERSION}`);
  }
  if (uint32(data, 20) !== crc32(data.subarray(0, 20))) {
    throw new CorruptHeader("the header is damaged: its checksum does not match");
  }
  if (colour > 3) throw new CorruptHeader(`the header names an unknown colour mode, ${colour}`);
  const tenths = view.getUint16(6, true);
  if (tenths < 10 || tenths > 1000) {
    throw new CorruptHeader(`the header's quality, ${tenths / 10}, is not in 1 to 100`);
  }
  const width = view.getUint16(8, true), height = view.getUint16(10, true);
  if (!width || !height) throw new CorruptHeader("the header gives a side of 0 px");
  const code = data.subarray(12, 16);
  if (code.some((byte) => byte < 0x21 || byte > 0x7e)) {
    throw new CorruptHeader("the header's model code is not printable ASCII");
  }
  const hash = [...data.subarray(16, 20)].map((byte) => byte.toString(16).padStart(2, "0"));
  return {
    width, height, tenths,
    grey: colour % 2 === 1, alpha: colour >= 2,
    model: String.fromCharCode(...code), hash: hash.join(""),
  };
}

/**
 * What a tile covers, by its place in the file.
 * @param {Header} header @param {number} number
 * @returns {Rectangle}
 */
export function tileRectangle({ width, height }, number) {
  const across = Math.ceil(width / TILE_PX);
  const left = (number % across) * TILE_PX, top = Math.floor(number / across) * TILE_PX;
  return {
    left, top, width: Math.min(TILE_PX, width - left), height: Math.min(TILE_PX, height - top),
  };
}

/**
 * Run something that concerns a tile; its errors say which one it is.
 * @template T
 * @param {Header} header @param {number} number @param {() => T} run
 * @returns {T}
 */
export function atTile(header, number, run) {
  /** @param {unknown} error @returns {never} */
  const fail = (error) => {
    const { left, top, width, height } = tileRectangle(header, number);
    if (error instanceof LatError) {
      error.message += ` (the tile of ${width} x ${height} px at ${left},${top})`;
    }
    throw error;
  };
  try {
    const result = run();
    return result instanceof Promise ? /** @type {T} */ (result.catch(fail)) : result;
  } catch (error) {
    return fail(error);
  }
}

/**
 * The chunk at a position, and the position behind it.
 * @param {Uint8Array} data @param {number} start
 */
function readChunk(data, start) {
  if (start >= data.length) throw new TruncatedFile("the file ends before its last tile");
  const type = data[start];
  let length = 0, position = start + 1, digit = 0, byte = 0;
  do {
    if (digit === MAX_LENGTH_BYTES) throw new CorruptChunk("a chunk's length has too many digits");
    if (position >= data.length) throw new TruncatedFile("the file ends within a chunk");
    byte = data[position++];
    length += (byte & 0x7f) * 2 ** (7 * digit++);
  } while (byte & 0x80);
  if (digit > 1 && !byte) {
    throw new CorruptChunk("a chunk's length is not written in its shortest form");
  }
  if (length > (MAX_BYTES_OF[type] ?? MAX_BYTES)) {
    throw new CorruptChunk(`a chunk claims ${length} bytes, more than its type may have`);
  }
  const end = position + length;
  if (end + CRC_BYTES > data.length) throw new TruncatedFile("the file ends within a chunk");
  if (uint32(data, end) !== crc32(data.subarray(start, end))) {
    throw new CorruptChunk("a chunk is damaged: its checksum does not match");
  }
  return { type, payload: data.subarray(position, end), end: end + CRC_BYTES };
}

/**
 * The metadata chunks, and the position of the first tile.
 * @param {Uint8Array} data
 */
function readMetadata(data) {
  /** @type {Map<number, Uint8Array>} */
  const metadata = new Map();
  let position = HEADER_BYTES;
  for (let count = 0; count <= MAX_METADATA_CHUNKS; count++) {
    if (data[position] === TILE) return { metadata, position };
    const { type, payload, end } = readChunk(data, position);
    position = end;
    if (METADATA.includes(type)) {
      if (metadata.has(type)) throw new CorruptChunk(`there are two chunks of type ${type}`);
      metadata.set(type, payload);
    } else if (type === ALPHA) {
      throw new CorruptChunk("an ALPHA chunk stands before its tile");
    } else if (!(type & OPTIONAL)) {
      throw new UnknownChunk(`the file needs a chunk of unknown type ${type}`);
    }
  }
  throw new CorruptChunk(`more than ${MAX_METADATA_CHUNKS} chunks stand before the first tile`);
}

/**
 * Take a file apart and check all of it but the tiles' payloads.
 * @param {Uint8Array} data
 * @param {number} maxPixels larger pictures are refused
 * @returns {LatFile}
 */
export function readFile(data, maxPixels = MAX_PIXELS) {
  const header = readHeader(data);
  if (header.width * header.height > maxPixels) {
    throw new LimitExceeded(
      `the picture has ${header.width} x ${header.height} px, `
        + `above the limit of ${maxPixels} pixels`,
    );
  }
  const { metadata, position: first } = readMetadata(data);
  /** @type {{[type: number]: Uint8Array[]}} */
  const found = { [TILE]: [], [ALPHA]: [] };
  const count = Math.ceil(header.width / TILE_PX) * Math.ceil(header.height / TILE_PX);
  let position = first;
  for (let number = 0; number < count; number++) {
    for (const kind of header.alpha ? [TILE, ALPHA] : [TILE]) {
      atTile(header, number, () => {
        const { type, payload, end } = readChunk(data, position);
        if (type !== kind) throw new CorruptChunk(`a chunk of type ${type} stands among the tiles`);
        found[kind].push(payload);
        position = end;
      });
    }
  }
  if (position !== data.length) {
    throw new TrailingData(`${data.length - position} bytes follow the last tile`);
  }
  return { header, tiles: found[TILE], alphas: found[ALPHA], metadata };
}
