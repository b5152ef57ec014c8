// Lists of files, to the byte as `--files-from` reads them.

/** Half surrogates that stand alone: Python's for a byte of a path that is no UTF-8. */
const LOST_BYTE = /([\udc80-\udcff])/u;

/** Paths as bytes, each with an end behind it. */
function listOf(paths, end) {
  const encoder = new TextEncoder();
  const pieces = paths.flatMap((path) => (path + end).split(LOST_BYTE)).filter((piece) => piece !== "");
  const bytes = pieces.map((piece) =>
    LOST_BYTE.test(piece) ? Uint8Array.of(piece.charCodeAt(0) - 0xdc00) : encoder.encode(piece),
  );
  return new Blob(bytes, { type: "application/octet-stream" });
}

/** Whether one of the paths cannot be told in a list of lines. */
function needsNull(paths) {
  return paths.some((path) => /[\r\n]/.test(path));
}
