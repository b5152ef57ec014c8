// The page as a whole: photos on the sheet, what is asked for, what is kept, and the keys.

class Page {
  constructor(sheet) {
    this.sheet = sheet;
    sheet.photos.forEach((photo, place) => (photo.rank = place + 1));
    this.groups = Map.groupBy(
      sheet.photos.filter((photo) => photo.group !== null),
      (photo) => photo.group,
    );
    const sizes = new Map(Array.from(this.groups, ([group, photos]) => [group, photos.length]));
    this.kept = new Kept(sheet);
    this.order = "score";
    this.grid = new Grid(byId("sheet"), this.kept, sizes, {
      open: (index) => this.open(index),
      toggle: (index) => this.toggle(this.grid.photos[index]),
    });
    this.viewer = new Viewer(byId("viewer"), this.kept, sizes, {
      turned: (index) => this.grid.activate(index),
      toggle: (photo) => this.toggle(photo),
      groupOf: (photo) => ordered(this.groups.get(photo.group) ?? [], "oldest"),
    });
    this.filters = new Filters(sheet, this.kept, () => this.draw());
    this.listen();
    this.filters.draw();
    this.draw();
  }

  listen() {
    byId("order").addEventListener("input", (event) => {
      this.order = event.target.value;
      this.draw();
    });
    byId("size").addEventListener("input", (event) => this.grid.enlarge(Number(event.target.value)));
    byId("theme").addEventListener("click", () => turnTheme());
    byId("narrow").addEventListener("click", () => this.unfold());
    byId("nothing").querySelector("button").addEventListener("click", () => this.filters.reset());
    byId("help").addEventListener("click", () => byId("keys").showModal());
    byId("only").addEventListener("click", () => this.filters.ask({ keptOnly: !this.filters.asked.keptOnly }));
    byId("save").addEventListener("click", () => this.save());
    byId("clear").addEventListener("click", () => this.clear());
    byId("group").addEventListener("click", () => this.filters.ask({ group: null }));
    byId("this-burst").addEventListener("click", () => this.showBurst());
    addEventListener("keydown", (event) => this.pressed(event));
  }

  draw() {
    const photos = ordered(this.filters.photos(), this.order);
    this.grid.show(photos);
    const all = this.sheet.photos.length;
    byId("told").textContent =
      photos.length === all ? countText(all, "photo") : `${photos.length.toLocaleString()} of ${countText(all, "photo")}`;
    byId("nothing").hidden = photos.length > 0;
    byId("sheet").hidden = photos.length === 0;
    this.drawKept();
  }

  drawKept() {
    const paths = this.kept.paths();
    const number = this.kept.photos.size;
    byId("tray").hidden = number === 0 && !this.filters.asked.keptOnly;
    byId("kept").textContent = `${number.toLocaleString()} kept`;
    byId("only").ariaPressed = this.filters.asked.keptOnly;
    byId("save").disabled = number === 0;
    if (needsNull(paths)) byId("null").checked = true;
    byId("null").disabled = needsNull(paths);
  }

  open(index) {
    if (this.grid.photos.length > 0) this.viewer.open(this.grid.photos, index);
  }

  toggle(photo) {
    this.kept.toggle(photo);
    this.grid.refresh();
    this.drawKept();
    byId("spoken").textContent = `${photo.name} ${this.kept.has(photo) ? "kept" : "not kept"}`;
  }

  clear() {
    if (!confirm(`Keep none of the ${this.kept.photos.size} photos any more?`)) return;
    this.kept.clear();
    this.filters.ask({ keptOnly: false });
  }

  /** Save the paths of what is kept as a file, for `--files-from`. */
  save() {
    const link = element("a");
    link.href = URL.createObjectURL(listOf(this.kept.paths(), byId("null").checked ? "\0" : this.sheet.lineEnd));
    link.download = byId("null").checked ? "kept-0.txt" : "kept.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  showBurst() {
    const { group } = this.viewer.shown;
    byId("viewer").close();
    this.filters.ask({ ...everything(), group });
  }

  unfold() {
    byId("narrow").ariaExpanded = document.body.classList.toggle("unfolded");
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, select") || (event.target.closest("button") && isForButtons(event.key))) return;
    const act = this.actOf(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  actOf(key) {
    const { grid, filters } = this;
    const move = (index) => () => {
      byId("sheet").focus({ preventScroll: true });
      grid.activate(index());
    };
    const toggle = () => grid.photos[grid.active] && this.toggle(grid.photos[grid.active]);
    if (/^[1-5]$/.test(key)) return () => filters.toggleStars(Number(key));
    const step = /^(?:Arrow)?(Left|Right|Up|Down|PageUp|PageDown)$/.exec(key)?.[1].toLowerCase();
    if (step !== undefined) return move(() => grid.away(step));
    return {
      Home: move(() => 0),
      End: move(() => grid.photos.length - 1),
      Enter: () => this.open(grid.active),
      " ": toggle,
      k: toggle,
      b: () => filters.ask({ bursts: filters.asked.bursts === "best" ? "all" : "best" }),
      0: () => filters.reset(),
      Escape: () => filters.reset(),
      "?": () => byId("keys").showModal(),
    }[key];
  }
}

/** Keys that a button which has the focus takes itself. */
function isForButtons(key) {
  return key === "Enter" || key === " ";
}

/** Light, dark, and as the system has it, in turns; remembered. */
function turnTheme() {
  const root = document.documentElement;
  const isDark = getComputedStyle(root).colorScheme === "dark" || matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = (root.dataset.theme ?? (isDark ? "dark" : "light")) === "dark" ? "light" : "dark";
  remember("aesth-theme", root.dataset.theme);
}

const theme = remembered("aesth-theme", null);
if (theme) document.documentElement.dataset.theme = theme;
const data = byId("data");
new Page(JSON.parse(data.textContent));
data.remove(); // Thousands of thumbnails are not kept twice.
