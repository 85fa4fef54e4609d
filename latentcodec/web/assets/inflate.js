// zlib and gzip streams, by the browser's DecompressionStream.

/**
 * What a stream inflates to, or null if it is more than `limit` bytes.
 * Rejects for a stream that is damaged, cut off, or followed by other bytes.
 * @param {Uint8Array} data
 * @param {"deflate" | "gzip"} format
 * @param {number} limit
 * @returns {Promise<Uint8Array | null>}
 */
export async function inflate(data, format, limit = Infinity) {
  const stream = new Blob([/** @type {BlobPart} */ (data)]).stream();
  const reader = stream.pipeThrough(new DecompressionStream(format)).getReader();
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
