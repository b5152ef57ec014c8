// The photos that a person keeps, remembered by the browser for when the page is opened again.

class Kept {
  /** @param sheet what the page shows. */
  constructor(sheet) {
    this.key = `aesth-kept-${sheet.id}`;
    const names = new Set(remembered(this.key, []));
    this.photos = new Set(sheet.photos.filter((photo) => names.has(photo.files[0])));
  }

  has(photo) {
    return this.photos.has(photo);
  }

  toggle(photo) {
    if (!this.photos.delete(photo)) this.photos.add(photo);
    this.remember();
  }

  clear() {
    this.photos.clear();
    this.remember();
  }

  /** The paths of all that is kept, the best first; of a RAW and its JPEG both. */
  paths() {
    return ordered(this.photos, "score").flatMap((photo) => photo.files);
  }

  remember() {
    remember(this.key, Array.from(this.photos, (photo) => photo.files[0]));
  }
}

/** What the browser remembers by a name; some remember nothing of pages on disk. */
function remembered(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Then it holds until the page is closed.
  }
}
