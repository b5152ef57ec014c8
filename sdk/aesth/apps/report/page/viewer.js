// One photo at a time, as large as the window or pixel by pixel, with the others of its burst below.

class Viewer {
  /**
   * @param dialog the element.
   * @param kept what is kept.
   * @param sizes of groups, by number.
   * @param actions `turned(index)`, `toggle(index)` and `groupOf(photo)`, all photos of its group.
   */
  constructor(dialog, kept, sizes, actions) {
    Object.assign(this, { dialog, kept, sizes, actions, photos: [], index: 0 });
    this.part = (name) => dialog.querySelector(`.${name}`);
    this.picture = this.part("picture");
    this.part("close").addEventListener("click", () => dialog.close());
    this.part("before").addEventListener("click", () => this.turn(-1));
    this.part("after").addEventListener("click", () => this.turn(1));
    this.part("keep").addEventListener("click", () => this.toggle());
    this.zoom = new Zoom(this.part("screen"), this.picture, (step) => this.turn(step));
    this.part("zoom").addEventListener("click", () => this.zoom.turn(!this.zoom.isOn));
    this.picture.addEventListener("load", () => this.arrived());
    this.picture.addEventListener("error", () => this.missed());
    addEventListener("keydown", (event) => dialog.open && this.pressed(event));
    dialog.addEventListener("close", () => this.picture.removeAttribute("src"));
  }

  open(photos, index) {
    this.photos = photos;
    this.zoom.turn(false);
    this.dialog.showModal();
    this.show(index);
  }

  turn(step) {
    const next = this.index + step;
    if (next >= 0 && next < this.photos.length) this.show(next);
  }

  show(index) {
    this.index = index;
    this.look(this.photos[index]);
    this.actions.turned(index);
  }

  /** Show a photo of the burst, which need not be among those that are shown on the sheet. */
  showOfBurst(photo) {
    const index = this.photos.indexOf(photo);
    if (index >= 0) {
      this.show(index);
    } else {
      this.look(photo);
    }
  }

  /** Change the photo; what is looked at closely stays so within a burst. */
  look(photo) {
    const isSameBurst = photo.group !== null && photo.group === this.shown?.group;
    if (!isSameBurst) this.zoom.turn(false);
    this.shown = photo;
    this.draw();
  }

  draw() {
    const photo = this.shown;
    this.part("place").textContent = `${this.index + 1} / ${this.photos.length.toLocaleString()}`;
    this.part("name").textContent = photo.name;
    this.part("score").textContent = photo.score.toFixed(1);
    this.part("stars").textContent = starsText(photo.stars);
    this.part("stars").ariaLabel = countText(photo.stars, "star");
    const facts = [dateText(photo.taken), groupText(photo, this.sizes), kindsText(photo)];
    this.part("facts").textContent = facts.filter(Boolean).join("  ·  ");
    this.part("before").disabled = this.index === 0;
    this.part("after").disabled = this.index === this.photos.length - 1;
    this.load(photo);
    this.drawKept();
    this.drawBurst(photo);
  }

  /** Show the small picture at once, and the photo in full as soon as it is there. */
  load(photo) {
    this.part("note").textContent = "";
    const screen = this.part("screen");
    screen.style.setProperty("--ratio", photo.width / photo.height);
    screen.style.setProperty("--thumbnail", `url("${photo.thumbnail}")`);
    this.picture.alt = photo.name;
    this.dialog.classList.toggle("waiting", photo.full !== null);
    this.picture.removeAttribute("src"); // Else the last photo is seen in the shape of this one.
    this.picture.src = photo.full ?? photo.thumbnail;
    if (photo.full === null) this.part("note").textContent = "Browsers cannot show this format: its thumbnail.";
    for (const near of [this.index + 1, this.index - 1]) preload(this.photos[near]);
  }

  arrived() {
    this.dialog.classList.remove("waiting");
  }

  missed() {
    this.arrived();
    if (this.picture.src === new URL(this.shown.thumbnail, document.baseURI).href) return;
    this.picture.src = this.shown.thumbnail;
    this.part("note").textContent = "The photo is not where it was, or cannot be shown: its thumbnail.";
  }

  drawKept() {
    const isKept = this.kept.has(this.shown);
    this.part("keep").ariaPressed = isKept;
    this.dialog.classList.toggle("kept", isKept);
    for (const frame of this.part("burst").children) frame.classList.toggle("kept", this.kept.has(frame.photo));
  }

  drawBurst(photo) {
    const group = this.actions.groupOf(photo);
    const frames = group.map((other) => {
      const button = element("button", "of-burst");
      button.type = "button";
      button.photo = other;
      button.ariaLabel = spokenText(other, this.sizes);
      button.ariaCurrent = other === photo;
      const picture = element("img");
      picture.alt = "";
      picture.src = other.thumbnail;
      button.append(picture, element("span", other.best ? "best" : "", other.score.toFixed(1)));
      button.addEventListener("click", () => this.showOfBurst(other));
      return button;
    });
    const hadFocus = this.part("burst").contains(document.activeElement);
    this.part("burst").replaceChildren(...frames);
    this.part("burst").hidden = frames.length === 0;
    const current = frames.find((frame) => frame.photo === photo);
    if (hadFocus) (current ?? this.part("screen")).focus();
    current?.scrollIntoView({ block: "nearest", inline: "center" });
    this.drawKept();
  }

  toggle() {
    this.actions.toggle(this.shown);
    this.drawKept();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowLeft: () => this.turn(-1),
      ArrowRight: () => this.turn(1),
      k: () => this.toggle(),
      " ": () => this.toggle(),
      z: () => this.zoom.turn(!this.zoom.isOn),
      Enter: () => this.dialog.close(),
    }[event.key];
    if (act === undefined || (isForButtons(event.key) && event.target.closest("button"))) return;
    event.preventDefault();
    act();
  }
}

function preload(photo) {
  if (photo?.full) new Image().src = photo.full;
}

/** The kinds of the files of a photo, as `CR3 + JPG`. */
function kindsText(photo) {
  const kinds = photo.files.map((file) => file.slice(file.lastIndexOf(".") + 1).toUpperCase());
  return kinds.length > 1 ? kinds.join(" + ") : "";
}
