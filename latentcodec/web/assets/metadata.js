// What of a picture's metadata changes how it is shown.

const ORIENTATION = 0x0112, SHORT = 3;
const EXIF_START = 6; // "Exif\0\0"
const GREY_SPACE = "GRAY";
const PREVIEW_SIDE_PX = 256;

/**
 * The orientation in an EXIF chunk, 1 to 8; 1 where there is none that can be read.
 * @param {Uint8Array | undefined} exif
 * @returns {number}
 */
export function orientationOf(exif) {
  if (!exif || exif.length < EXIF_START + 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset + EXIF_START, exif.length - EXIF_START);
  const little = view.getUint16(0) === 0x4949;
  try {
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let entry = 0; entry < count; entry++) {
      const at = directory + 2 + 12 * entry;
      if (view.getUint16(at, little) !== ORIENTATION) continue;
      const value = view.getUint16(at + 8, little);
      const right = view.getUint16(at + 2, little) === SHORT && value >= 1 && value <= 8;
      return right ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // it points beyond its end
  }
  return 1;
}

/**
 * Whether an orientation swaps width and height.
 * @param {number} orientation
 */
export function isTurned(orientation) {
  return orientation >= 5;
}

/**
 * The transform that puts stored pixels upright: [a, b, c, d, e, f] of a canvas.
 * @param {number} orientation
 * @param {number} width @param {number} height of what is stored
 * @returns {[number, number, number, number, number, number]}
 */
export function upright(orientation, width, height) {
  switch (orientation) {
    case 2: return [-1, 0, 0, 1, width, 0];
    case 3: return [-1, 0, 0, -1, width, height];
    case 4: return [1, 0, 0, -1, 0, height];
    case 5: return [0, 1, 1, 0, 0, 0];
    case 6: return [0, 1, -1, 0, height, 0];
    case 7: return [0, -1, -1, 0, height, width];
    case 8: return [0, -1, 1, 0, 0, width];
    default: return [1, 0, 0, 1, 0, 0];
  }
}

/**
 * Whether a profile is of grey pixels.
 * @param {Uint8Array} icc
 */
export function isGreyProfile(icc) {
  return String.fromCharCode(...icc.subarray(16, 20)) === GREY_SPACE;
}

/**
 * The preview in a chunk, or null for what is no WebP of a preview's size: a browser would inflate
 * a small file to any size.
 * @param {Uint8Array | undefined} webp
 */
export function previewOf(webp) {
  if (!webp || webp.length < 30) return null;
  const view = new DataView(webp.buffer, webp.byteOffset, webp.length);
  const text = (/** @type {number} */ at) => String.fromCharCode(...webp.subarray(at, at + 4));
  if (text(0) !== "RIFF" || text(8) !== "WEBP") return null;
  const bits = view.getUint32(21, true);
  /** @type {Record<string, [number, number]>} */
  const sizes = { // of the three kinds of WebP
    "VP8 ": [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff],
    VP8L: [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1],
    VP8X: [(view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1],
  };
  const size = sizes[text(12)];
  return size && Math.max(...size) <= PREVIEW_SIDE_PX ? webp.slice() : null;
}
