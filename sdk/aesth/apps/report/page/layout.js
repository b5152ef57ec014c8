// Where frames are on the sheet: rows as wide as it, of about one height. Pure functions.

const NARROWEST = 0.4;
const WIDEST = 3.5;

/**
 * Rows of frames, one below the other: `{first, widths, height, top}`.
 *
 * A row ends where its height comes nearest to the one that is wished for; the last may be short.
 *
 * @param photos of a `width` and a `height`, whose ratio counts.
 * @param width of the sheet, in pixels, as all others.
 * @param wished height of a frame.
 * @param space between two frames of a row, and before and after them.
 * @param between height of what is between the frames of two rows.
 */
function rowsOf(photos, width, wished, space, between) {
  const rows = [];
  let top = 0;
  let first = 0;
  while (first < photos.length) {
    const ratios = nextRow(photos, first, width, wished, space);
    const isLast = first + ratios.length === photos.length;
    const full = heightOf(ratios, width, space);
    const height = Math.max(1, isLast ? Math.min(full, wished) : full);
    rows.push({ first, widths: ratios.map((ratio) => ratio * height), height, top });
    first += ratios.length;
    top += height + between;
  }
  return rows;
}

/** The height at which frames of these ratios, with spaces, fill the width. */
function heightOf(ratios, width, space) {
  const sum = ratios.reduce((all, ratio) => all + ratio, 0);
  return (width - space * (ratios.length + 1)) / sum;
}

/** The ratio of a frame; of those that are very wide or narrow, a part is shown. */
function ratioOf(photo) {
  return Math.min(WIDEST, Math.max(NARROWEST, photo.width / photo.height));
}

function nextRow(photos, first, width, wished, space) {
  const ratios = [];
  let before = Infinity;
  for (let next = first; next < photos.length; next += 1) {
    ratios.push(ratioOf(photos[next]));
    const height = heightOf(ratios, width, space);
    if (height <= wished) {
      const isBetterWithout = ratios.length > 1 && before - wished < wished - height;
      return isBetterWithout ? ratios.slice(0, -1) : ratios;
    }
    before = height;
  }
  return ratios;
}

/** The number of the row that holds a height of the sheet, or the nearest. */
function rowAt(rows, height) {
  return lastWhere(rows, (row) => row.top <= height);
}

/** The number of the row that holds a photo. */
function rowOf(rows, index) {
  return lastWhere(rows, (row) => row.first <= index);
}

/** The number of the last row of which something holds that holds of all before it, at least 0. */
function lastWhere(rows, holds) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(rows[middle])) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The photo above (-1) or below (1) another, or that one itself at the edge. */
function neighbour(rows, index, step, space) {
  const here = rowOf(rows, index);
  const there = rows[here + step];
  if (there === undefined) return index;
  const middle = middleOf(rows[here], index - rows[here].first, space);
  const away = there.widths.map((_, place) => Math.abs(middleOf(there, place, space) - middle));
  return there.first + away.indexOf(Math.min(...away));
}

function middleOf(row, place, space) {
  const before = row.widths.slice(0, place).reduce((all, width) => all + width + space, space);
  return before + row.widths[place] / 2;
}
