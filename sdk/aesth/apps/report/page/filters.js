// What a person asks to see: the histogram with its two ends, stars, folder, days and bursts.

const BINS = 50;

class Filters {
  /**
   * @param sheet what the page shows.
   * @param kept what is kept.
   * @param changed called when something else is asked for.
   */
  constructor(sheet, kept, changed) {
    Object.assign(this, { sheet, kept, changed, asked: everything() });
    this.bars = Array.from({ length: BINS }, (_, bin) => this.bar(bin));
    byId("bars").append(...this.bars);
    byId("stars").append(...[5, 4, 3, 2, 1].map((stars) => this.star(stars)));
    this.fillFolders();
    this.fillDays();
    this.offer("bursts", sheet.photos.some((photo) => photo.group !== null));
    for (const name of ["folder", "from", "to", "bursts"]) {
      byId(name).addEventListener("input", (event) => this.ask({ [name]: event.target.value }));
    }
    byId("least").addEventListener("input", () => this.askRange("least"));
    byId("most").addEventListener("input", () => this.askRange("most"));
    byId("reset").addEventListener("click", () => this.reset());
  }

  /** The photos that are asked for. */
  photos() {
    return chosen(this.sheet.photos, this.asked, this.sheet.folders, this.kept);
  }

  ask(change) {
    Object.assign(this.asked, change);
    this.draw();
    this.changed();
  }

  /** Ask for all photos again. */
  reset() {
    this.ask(everything());
  }

  toggleStars(stars) {
    const set = new Set(this.asked.stars);
    if (!set.delete(stars)) set.add(stars);
    this.ask({ stars: set });
  }

  /** Take what an end of the range says; it takes the other one along rather than pass it. */
  askRange(moved) {
    const value = Number(byId(moved).value);
    const other = moved === "least" ? "most" : "least";
    const limit = moved === "least" ? Math.max(value, this.asked.most) : Math.min(value, this.asked.least);
    this.ask({ [moved]: value, [other]: limit });
  }

  /** Show what is asked for, and how many photos there are of each kind. */
  draw() {
    const { asked, sheet } = this;
    for (const name of ["least", "most", "folder", "from", "to", "bursts"]) byId(name).value = asked[name];
    byId("least").ariaValueText = `from ${asked.least}`;
    byId("most").ariaValueText = `to ${asked.most}`;
    byId("range").textContent = isWhole(asked) ? "all scores" : `${asked.least} – ${asked.most}`;
    byId("reset").hidden = !isNarrowed(asked);
    byId("group").hidden = asked.group === null;
    const counted = (change) => chosen(sheet.photos, { ...asked, ...change }, sheet.folders, this.kept);
    this.drawBars(counted({ least: 0, most: 100 }));
    const counts = countStars(counted({ stars: new Set() }));
    for (const button of byId("stars").children) {
      const stars = Number(button.value);
      button.ariaPressed = asked.stars.has(stars);
      button.querySelector(".count").textContent = counts[stars].toLocaleString();
      button.ariaLabel = `${countText(stars, "star")}: ${countText(counts[stars], "photo")}`;
    }
  }

  drawBars(photos) {
    const all = histogram(this.sheet.photos, BINS);
    const counts = histogram(photos, BINS);
    const highest = Math.max(...all, 1);
    const step = 100 / BINS;
    this.bars.forEach((bar, bin) => {
      bar.style.setProperty("--all", all[bin] / highest);
      bar.style.setProperty("--shown", counts[bin] / highest);
      const isInside = (bin + 1) * step > this.asked.least && bin * step <= this.asked.most;
      bar.classList.toggle("outside", !isInside);
      bar.title = `${bin * step} to ${(bin + 1) * step}: ${countText(counts[bin], "photo")}`;
    });
    byId("bars").style.setProperty("--least", this.asked.least);
    byId("bars").style.setProperty("--most", this.asked.most);
  }

  bar(bin) {
    const bar = element("i");
    const middle = ((bin + 0.5) * 100) / BINS;
    bar.dataset.stars = 1 + this.sheet.cutPoints.filter((point) => middle >= point).length;
    return bar;
  }

  star(stars) {
    const button = element("button", "chip");
    button.type = "button";
    button.value = stars;
    button.append(element("span", "stars", "★".repeat(stars)), element("span", "count"));
    button.addEventListener("click", () => this.toggleStars(stars));
    return button;
  }

  fillFolders() {
    const counts = folderCounts(this.sheet.photos, this.sheet.folders);
    const depth = (folder) => folder.split("/").length - 1;
    byId("folder").append(
      ...counts.map(([folder, count]) => {
        const name = folder.slice(folder.lastIndexOf("/") + 1);
        return new Option(`${"\u2003".repeat(depth(folder))}${name}  (${count.toLocaleString()})`, folder);
      }),
    );
    this.offer("folder", counts.length > 1);
  }

  fillDays() {
    const days = this.sheet.photos.flatMap((photo) => photo.taken?.slice(0, 10) ?? []).sort();
    for (const name of ["from", "to"]) Object.assign(byId(name), { min: days[0] ?? "", max: days.at(-1) ?? "" });
    this.offer("from", days.length > 0 && days[0] !== days.at(-1));
  }

  /** Hide a filter that would make no difference. */
  offer(name, isOffered) {
    byId(name).closest(".field").hidden = !isOffered;
  }
}

function isWhole(asked) {
  return asked.least === 0 && asked.most === 100;
}

function byId(name) {
  return document.getElementById(name);
}
