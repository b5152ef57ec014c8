// The sheet: strips of frames, of which only those in sight are in the document.

const EDGE = { top: 22, bottom: 8, side: 8, between: 6, strips: 14 };
/** Pixels of a strip around and between frames, and between two strips. */

const AHEAD = 700;
/** Pixels above and below the window in which strips are made, too. */

class Grid {
  /**
   * @param host the listbox.
   * @param kept what is kept.
   * @param sizes of groups, by number.
   * @param actions `open(index)` and `toggle(index)` of the photos shown.
   */
  constructor(host, kept, sizes, actions) {
    Object.assign(this, { host, kept, sizes, photos: [], rows: [], strips: new Map(), active: 0, height: 180 });
    host.addEventListener("click", (event) => this.clicked(event, actions));
    addEventListener("scroll", () => this.soon(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(host);
  }

  /** Show photos, with the one that was active still so if it is among them. */
  show(photos) {
    const last = this.photos[this.active];
    this.photos = photos;
    this.active = Math.max(0, photos.indexOf(last));
    this.arrange();
  }

  /** Show frames of another height. */
  enlarge(height) {
    this.height = height;
    this.arrange();
    this.reveal();
  }

  /** Make a photo the active one, and scroll to it. */
  activate(index) {
    if (this.photos.length === 0) return;
    this.active = Math.min(Math.max(0, index), this.photos.length - 1);
    this.reveal();
    this.draw();
  }

  /** The photo that is a step away: left and right by one, up and down by a row, pages by what fits the window. */
  away(step) {
    if (this.photos.length === 0) return 0;
    const page = Math.max(1, Math.floor(innerHeight / (this.height + EDGE.top + EDGE.bottom + EDGE.strips)));
    const rows = { up: -1, down: 1, pageup: -page, pagedown: page }[step];
    if (rows === undefined) return this.active + { left: -1, right: 1 }[step];
    let index = this.active;
    for (let done = 0; done < Math.abs(rows); done += 1) {
      index = neighbour(this.rows, index, Math.sign(rows), EDGE.between);
    }
    return index;
  }

  /** Tell anew which are kept. */
  refresh() {
    for (const frame of this.host.querySelectorAll(".frame")) this.mark(frame);
  }

  arrange() {
    this.width = this.host.clientWidth;
    const inner = this.width - 2 * (EDGE.side - EDGE.between);
    const between = EDGE.top + EDGE.bottom + EDGE.strips;
    this.rows = this.width ? rowsOf(this.photos, inner, this.height, EDGE.between, between) : [];
    const last = this.rows.at(-1);
    this.host.style.height = `${last ? last.top + last.height + between : 0}px`;
    this.host.replaceChildren();
    this.strips.clear();
    this.draw();
  }

  resized() {
    if (this.host.clientWidth !== this.width) this.arrange();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.draw();
    });
  }

  /** Make the strips in sight and the one of the active photo, and remove the others. */
  draw() {
    if (this.rows.length === 0) return;
    const top = -this.host.getBoundingClientRect().top;
    const wanted = new Set([rowOf(this.rows, this.active)]);
    for (let row = rowAt(this.rows, top - AHEAD); row <= rowAt(this.rows, top + innerHeight + AHEAD); row += 1) {
      wanted.add(row);
    }
    for (const [row, strip] of this.strips) {
      if (!wanted.has(row)) {
        strip.remove();
        this.strips.delete(row);
      }
    }
    for (const row of wanted) if (!this.strips.has(row)) this.strips.set(row, this.strip(row));
    this.point();
  }

  strip(row) {
    const { first, widths, height, top } = this.rows[row];
    const strip = element("div", "strip");
    strip.role = "none";
    strip.style.transform = `translateY(${top}px)`;
    strip.append(...widths.map((width, place) => this.frame(first + place, width, height)));
    const after = [...this.strips.keys()].filter((other) => other > row).sort((one, other) => one - other)[0];
    this.host.insertBefore(strip, after === undefined ? null : this.strips.get(after));
    return strip;
  }

  frame(index, width, height) {
    const photo = this.photos[index];
    const frame = element("div", "frame");
    frame.role = "option";
    frame.id = `frame-${index}`;
    frame.dataset.index = index;
    frame.ariaPosInSet = index + 1;
    frame.ariaSetSize = this.photos.length;
    frame.ariaLabel = spokenText(photo, this.sizes);
    frame.title = photo.name;
    frame.style.width = `${width}px`;
    frame.append(edgeOf(photo), pictureOf(photo, height), keepButton());
    const group = groupText(photo, this.sizes);
    if (group) frame.append(element("span", photo.best ? "group best" : "group", group));
    this.mark(frame);
    return frame;
  }

  mark(frame) {
    const isKept = this.kept.has(this.photos[frame.dataset.index]);
    frame.ariaSelected = isKept;
    const mark = frame.querySelector(".pencil");
    if (isKept && !mark) frame.append(pencil());
    if (!isKept) mark?.remove();
  }

  /** Tell which is the active one. */
  point() {
    const name = `frame-${this.active}`;
    const frame = document.getElementById(name);
    if (frame?.classList.contains("active")) return;
    for (const other of this.host.querySelectorAll(".active")) other.classList.remove("active");
    frame?.classList.add("active");
    this.host.setAttribute("aria-activedescendant", name);
  }

  /** Scroll so that the strip of the active photo is in sight, below what sticks to the top of the window. */
  reveal() {
    const row = this.rows[rowOf(this.rows, this.active)];
    if (row === undefined) return;
    const { top: above, bottom: below } = covered();
    const top = this.host.getBoundingClientRect().top + row.top;
    const bottom = top + row.height + EDGE.top + EDGE.bottom;
    if (top < above) scrollBy({ top: top - above, behavior: "instant" });
    else if (bottom > innerHeight - below) scrollBy({ top: bottom - innerHeight + below, behavior: "instant" });
  }

  clicked(event, actions) {
    const frame = event.target.closest(".frame");
    if (frame === null) return;
    const index = Number(frame.dataset.index);
    this.active = index;
    this.point();
    if (event.target.closest(".keep")) actions.toggle(index);
    else actions.open(index);
  }
}

/** What is printed on the edge of the film: rank, stars and score. */
function edgeOf(photo) {
  const edge = element("span", "edge");
  edge.append(
    element("span", "rank", photo.rank),
    element("span", "stars", "★".repeat(photo.stars)),
    element("span", "score", photo.score.toFixed(photo.score < 100 ? 1 : 0)),
  );
  return edge;
}

function pictureOf(photo, height) {
  const picture = element("img");
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  picture.style.height = `${height}px`;
  picture.src = photo.thumbnail;
  return picture;
}

/** The mark of a grease pencil, as photographers circle what they keep on a contact sheet. */
function pencil() {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("class", "pencil");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", "#pencil");
  drawing.append(use);
  return drawing;
}

/** For the mouse and the finger; the keyboard has a key for it. */
function keepButton() {
  const button = element("span", "keep");
  button.ariaHidden = "true";
  return button;
}

/** How much of the window lies under what sticks to its top and bottom. */
function covered() {
  const heightOfAll = (name) =>
    Array.from(document.querySelectorAll(name), (bar) => bar.offsetHeight).reduce((all, height) => all + height, 12);
  return { top: heightOfAll(".stuck-top"), bottom: heightOfAll(".stuck-bottom") };
}
